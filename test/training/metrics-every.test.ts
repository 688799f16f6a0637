import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TrainingEvent } from '../../src/contracts/events.js';
import { useBackend } from '../support/backend.js';
import { MemorySink } from '../support/memory-sink.js';
import { eventsOf, trainTiny } from '../support/tiny-training.js';

/** What a step event says that does not depend on the machine. */
const curve = (events: readonly TrainingEvent[]) =>
  eventsOf(events, 'step').map(({ step, epoch, loss, gradNorm, learningRate }) => ({
    step,
    epoch,
    loss,
    gradNorm,
    learningRate,
  }));

describe('step events', () => {
  useBackend();

  it('come at every Nth step, over epochs, and say the mean of the steps since the last', async () => {
    const every = async (metricsEvery: number) =>
      eventsOf((await trainTiny({ training: { metricsEvery } })).events, 'step');
    const single = await every(1);
    const fifth = await every(5);
    assert.deepEqual(
      fifth.map(({ step }) => step),
      Array.from({ length: Math.floor(single.length / 5) }, (_, index) => 5 * (index + 1)),
    );
    const losses = single.slice(0, 5).map(({ loss }) => loss!);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / 5;
    assert.ok(Math.abs(fifth[0]!.loss! - mean) < 1e-5, `${fifth[0]!.loss} and ${mean}`); // batches of one size
  });

  it('are the same after a pause in the middle of what one is about', async () => {
    const options = () => ({ training: { metricsEvery: 4 }, sink: new MemorySink() });
    const whole = await trainTiny(options());
    const parted = options();
    const first = await trainTiny(parted, (step) => (step === 6 ? 'pause' : null));
    const second = await trainTiny(parted, (step) => (step === 13 ? 'pause' : null));
    const third = await trainTiny(parted);
    assert.equal(eventsOf(first.events, 'step').length, 1);
    assert.deepEqual(curve([...first.events, ...second.events, ...third.events]), curve(whole.events));
  });

  it('come by the clock where nothing is said: at once, then at most twice a second', async () => {
    const { events, progress } = await trainTiny();
    const steps = eventsOf(events, 'step');
    assert.equal(steps[0]!.step, 1);
    assert.ok(steps.length < progress.step);
  });
});
