import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { TrainingEvent } from '../../src/contracts/events.js';
import { AppError } from '../../src/errors.js';
import type { LanguageModel } from '../../src/models/language-model.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { weightsDigest } from '../../src/training/weights-digest.js';
import { useBackend } from '../support/backend.js';
import { MemorySink } from '../support/memory-sink.js';
import { expectNoTensorLeakAsync } from '../support/tensor-leak.js';
import { eventsOf, runTrainer, type TinyTraining, tinyTraining } from '../support/tiny-training.js';

/** Makes every evaluation of epoch e give the e-th loss. The test split is evaluated after the last. */
function scriptValidLosses(run: ReturnType<typeof tinyTraining>, curve: readonly number[]): void {
  run.model.losses = ({ targets }) => {
    const { epoch } = run.trainer.progress;
    return new Float32Array(targets.length).fill(curve[epoch] ?? curve.at(-1)!);
  };
}

/** Makes the loss of some batches (counted from 1) not a number, as it would be after an overflow. */
function spoilBatches(model: LanguageModel, ...spoiled: number[]) {
  const accumulate = model.accumulateGradients.bind(model);
  const digests: string[] = [];
  model.accumulateGradients = (batch, objective) => {
    digests.push(weightsDigest(new Map(model.parameters.map(({ name, value }) => [name, value]))));
    const losses = accumulate(batch, objective);
    return spoiled.includes(digests.length) ? losses.fill(Number.NaN) : losses;
  };
  return { digests };
}

async function runScripted(options: TinyTraining, curve: readonly number[]) {
  const run = tinyTraining(options);
  scriptValidLosses(run, curve);
  const { events } = await runTrainer(run.trainer);
  run.dispose();
  return events;
}

const reasonOf = (events: readonly TrainingEvent[]) => eventsOf(events, 'succeeded')[0]?.reason;
const epochsOf = (events: readonly TrainingEvent[]) => eventsOf(events, 'epoch').map(({ epoch }) => epoch);

describe('the end of a training', () => {
  useBackend();

  it('comes early when the validation loss has not improved for as many epochs as there is patience', () =>
    expectNoTensorLeakAsync(async () => {
      const training = { epochs: 10, earlyStopping: { patience: 2 } };
      const stalled = await runScripted({ training }, [5, 4, 4.5, 4, 3, 2]);
      assert.deepEqual(epochsOf(stalled), [1, 2, 3, 4]);
      assert.equal(reasonOf(stalled), 'early-stopping');
      const improved = await runScripted({ training: { ...training, epochs: 5 } }, [5, 4, 4.5, 3.9, 4]);
      assert.deepEqual(epochsOf(improved), [1, 2, 3, 4, 5]);
      assert.equal(reasonOf(improved), 'epochs');
    }));

  it('comes when the longest time is over, after an evaluation of what was trained', () =>
    expectNoTensorLeakAsync(async () => {
      const run = tinyTraining({ training: { maxDuration: 1e-9 } });
      const { events } = await runTrainer(run.trainer);
      assert.equal(reasonOf(events), 'max-duration');
      const [epoch, ...others] = eventsOf(events, 'epoch');
      assert.deepEqual([epoch!.epoch, epoch!.step, others.length], [1, 1, 0]);
      assert.ok(epoch!.validLoss! > 0);
      run.dispose();
    }));

  it('comes without an epoch of no step when the evaluation used up the time', () =>
    expectNoTensorLeakAsync(async () => {
      let now = 0;
      const clock = mock.method(performance, 'now', () => {
        now += 1000; // a second passes from each look at the clock to the next
        return now;
      });
      try {
        const run = tinyTraining({ training: { maxDuration: 8.5 } });
        const { events } = await runTrainer(run.trainer);
        const { totalSeconds } = run.trainer.progress;
        assert.equal(totalSeconds, 9, '8 steps of one second, one second of evaluation');
        assert.deepEqual(epochsOf(events), [1]);
        assert.equal(reasonOf(events), 'max-duration');
        run.dispose();
      } finally {
        clock.mock.restore();
      }
    }));

  it('evaluates what was trained also when it was paused as the time ran out', () =>
    expectNoTensorLeakAsync(async () => {
      const options = { training: { maxDuration: 1e-9 }, sink: new MemorySink() };
      const paused = tinyTraining(options);
      await runTrainer(paused.trainer, (step) => (step === 1 ? 'pause' : null));
      paused.dispose();
      const rest = tinyTraining(options);
      const { events } = await runTrainer(rest.trainer);
      assert.deepEqual(epochsOf(events), [1]);
      assert.equal(reasonOf(events), 'max-duration');
      rest.dispose();
    }));

  for (const [reason, training, curve] of [
    ['epochs', { epochs: 3 }, [5, 4, 3, 9]],
    ['early-stopping', { epochs: 9, earlyStopping: { patience: 1 } }, [5, 4, 4.5, 1, 1]],
    ['max-duration', { epochs: 9, maxDuration: 1e-9 }, [5, 4, 3]],
  ] as const) {
    it(`is the same when it is interrupted just before it is told: ${reason}`, () =>
      expectNoTensorLeakAsync(async () => {
        const whole = await runScripted({ training }, curve);
        assert.equal(reasonOf(whole), reason);

        const sink = new MemorySink();
        const killed = tinyTraining({ training, sink });
        scriptValidLosses(killed, curve);
        const last = epochsOf(whole).length;
        for await (const event of killed.trainer.run(() => null)) {
          if (event.type === 'checkpoint' && event.data.epoch === last) break;
        }
        killed.dispose();
        const rest = await runScripted({ training, sink }, curve);
        assert.deepEqual(
          rest.map(({ type }) => type),
          ['started', 'succeeded'],
        );
        assert.equal(reasonOf(rest), reason);
        assert.equal(eventsOf(rest, 'succeeded')[0]!.digest, eventsOf(whole, 'succeeded')[0]!.digest);
      }));
  }
});

/** Runs until it fails. @returns the error */
async function failureOf(run: ReturnType<typeof tinyTraining>): Promise<AppError> {
  try {
    await runTrainer(run.trainer);
  } catch (error) {
    assert.ok(error instanceof AppError);
    return error;
  } finally {
    run.dispose();
  }
  return assert.fail('it did not fail');
}

describe('a loss that is not finite', () => {
  useBackend();

  it('fails the training, with the step and what to change', () =>
    expectNoTensorLeakAsync(async () => {
      const run = tinyTraining({ optimizer: { type: 'sgd', learningRate: 20 } });
      spoilBatches(run.model, 11);
      const error = await failureOf(run);
      assert.equal(error.code, 'loss-not-finite');
      assert.equal(
        error.message,
        'The loss became NaN at step 11 (epoch 2); try a smaller learningRate (it was 20) or a smaller maxGradNorm (it was 0.25)',
      );
    }));

  it('fails it for gradients that overflow too', () =>
    expectNoTensorLeakAsync(async () => {
      const run = tinyTraining();
      const accumulate = run.model.accumulateGradients.bind(run.model);
      run.model.accumulateGradients = (batch, objective) =>
        accumulate(batch, { ...objective, gradientScale: 1e30 });
      assert.equal((await failureOf(run)).code, 'loss-not-finite');
    }));

  it('fails it when it shows at the validation only, and is not kept as the best', () =>
    expectNoTensorLeakAsync(async () => {
      const sink = new MemorySink();
      const run = tinyTraining({ sink });
      scriptValidLosses(run, [3, Number.NaN]);
      const error = await failureOf(run);
      assert.equal(error.code, 'loss-not-finite');
      assert.deepEqual([error.details.step, error.details.epoch], [16, 2]);
      assert.equal(sink.bestSaves, 1);
      assert.deepEqual(sink.steps, [8]);
    }));

  const rollback = { epochs: 2, checkpointEvery: 3, onNonFiniteLoss: 'rollback' };

  it('rolls back once to the last checkpoint where the config says so, with half the learning rate', () =>
    expectNoTensorLeakAsync(async () => {
      const run = tinyTraining({ training: rollback });
      const { digests } = spoilBatches(run.model, 5);
      const { events } = await runTrainer(run.trainer);
      assert.equal(digests.length, 16 + 2, 'steps 4 and 5 came twice');
      assert.equal(digests[5], digests[3], 'the weights were those of step 3 again');
      assert.notEqual(digests[6], digests[4], 'and step 4 was another one, with half the rate');
      assert.deepEqual(
        eventsOf(events, 'epoch').map(({ learningRate }) => learningRate),
        [0.5, 0.5],
      );
      assert.equal(eventsOf(events, 'epoch').at(-1)!.step, 16);
      assert.deepEqual(eventsOf(events, 'rollback'), [
        {
          step: 5,
          epoch: 1,
          reason: 'The loss was not finite',
          restored: { epoch: 0, step: 3 },
          learningRate: 0.5,
        },
      ]);
      run.dispose();
    }));

  it('rolls back from a validation too', () =>
    expectNoTensorLeakAsync(async () => {
      const run = tinyTraining({ training: { ...rollback, checkpointEvery: null } });
      const losses = run.model.losses.bind(run.model);
      run.model.losses = (batch) => {
        const { epoch, rollbackDivisor } = run.trainer.progress;
        return epoch === 1 && rollbackDivisor === 1 ? losses(batch).fill(Number.NaN) : losses(batch);
      };
      const { events } = await runTrainer(run.trainer);
      assert.deepEqual(
        eventsOf(events, 'epoch').map(({ epoch, learningRate }) => [epoch, learningRate]),
        [
          [1, 1],
          [2, 0.5],
        ],
      );
      const [told, ...others] = eventsOf(events, 'rollback');
      assert.deepEqual(others, []);
      assert.equal(told?.reason, 'The validation loss was not finite');
      assert.deepEqual([told?.step, told?.epoch, told?.restored], [16, 2, { epoch: 1, step: 8 }]);
      run.dispose();
    }));

  it('fails the second time', () =>
    expectNoTensorLeakAsync(async () => {
      const run = tinyTraining({ training: rollback });
      spoilBatches(run.model, 5, 9);
      const error = await failureOf(run);
      assert.equal(error.code, 'loss-not-finite');
      assert.equal(error.details.learningRate, 0.5);
    }));

  it('fails at once where there is no checkpoint to go back to', () =>
    expectNoTensorLeakAsync(async () => {
      const run = tinyTraining({ training: rollback });
      spoilBatches(run.model, 2);
      assert.equal((await failureOf(run)).details.step, 2);
    }));
});

describe('MemorySink', () => {
  useBackend();

  it('keeps copies, whatever happens to the tensors afterwards', () => {
    const sink = new MemorySink();
    const value = tf.tensor1d([1, 2]);
    sink.saveBestWeights(new Map([['w', value]]));
    value.dispose();
    const [first, second] = [sink.loadBestWeights().get('w')!, sink.loadBestWeights().get('w')!];
    assert.notEqual(first, second);
    assert.deepEqual([...first.dataSync()], [1, 2]);
    tf.dispose([first, second]);
  });
});
