import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnvironment } from '../../src/contracts/environment.js';
import { appError } from '../../src/errors.js';
import { EventBus } from '../../src/experiments/event-bus.js';
import { createEventLog } from '../../src/experiments/event-log.js';
import { SILENT_LOGGER } from '../../src/experiments/logger.js';
import { TrainingScheduler } from '../../src/experiments/training-scheduler.js';
import { cleanUp } from '../support/clean-up.js';
import { FakeTrainingExecutor, startedEvent, stepEvent } from '../support/fake-executor.js';
import { insertExperiment, temporaryStore } from '../support/store.js';

test('a disk that is full while it trains interrupts an experiment, which can go on when there is room', async (t) => {
  const store = temporaryStore(t);
  const bus = new EventBus((error) => {
    throw error;
  });
  const log = createEventLog(store, bus);
  let failures = 0;
  let isFull = false;
  const executor = new FakeTrainingExecutor();
  const queue = new TrainingScheduler({
    store,
    log: {
      record(...event) {
        if (!isFull) return log.record(...event);
        failures += 1;
        if (failures === 3) isFull = false; // the event, and the end twice
        throw appError('out-of-disk', { file: 'gatelm.sqlite' });
      },
    },
    executor,
    environment: { ...parseEnvironment({}), maxRestarts: 5 },
    logger: SILENT_LOGGER,
    retryMs: 1,
  });
  cleanUp(t, () => queue.close(0));
  const experiment = insertExperiment(store);
  queue.enqueue(experiment, { resume: false, restarts: 0 });
  const run = await executor.run(0);
  const interrupted = new Promise<void>((heard) => {
    bus.subscribe(experiment.id, (published) => {
      if (published?.event.type === 'interrupted') heard();
    });
  });
  const stopped = new Promise<void>((asked) => {
    run.onStop((mode) => {
      assert.equal(mode, 'pause');
      run.finish({ type: 'stopped', mode });
      asked();
    });
  });
  run.emit(startedEvent());
  isFull = true;
  run.emit(stepEvent(1));
  await stopped;
  await interrupted;
  const events = store.events.after(experiment, 0, 100);
  const reasons = events.filter(({ type }) => type === 'interrupted').map(({ data }) => data);
  assert.deepEqual(reasons[0], {
    reason:
      'Its events could not be stored: Writing gatelm.sqlite failed: no space left on the device; free some space and resume',
    willRestart: true,
  });
  const again = await executor.run(1);
  assert.equal(again.job.resume, true);
});

test('an experiment that no machine can run waits, and those behind it go first', async (t) => {
  const store = temporaryStore(t);
  const log = createEventLog(store, new EventBus((error) => assert.fail(String(error))));
  const machine = { labels: ['linux', 'avx2'], memoryBytes: 8 * 1024 ** 3 };
  const executor = new FakeTrainingExecutor({ slots: 3, machine });
  const environment = { ...parseEnvironment({}), maxRestarts: 5 };
  const queue = new TrainingScheduler({ store, log, executor, environment, logger: SILENT_LOGGER });
  cleanUp(t, () => queue.close(0));
  const required = [
    { labels: ['gpu'] },
    { labels: [], memoryGib: 16 },
    { labels: ['avx2', 'linux'], memoryGib: 8 },
    undefined,
  ];
  const ids = required.map((requires) => {
    const experiment = insertExperiment(store, requires && { requires });
    queue.enqueue(experiment, { resume: false, restarts: 0 });
    return experiment.id;
  });
  const started = [await executor.run(0), await executor.run(1)];
  assert.deepEqual(
    started.map(({ experimentId }) => experimentId),
    ids.slice(2),
  );
  assert.deepEqual(
    ids.map((id) => store.experiments.find(id)!.state),
    ['queued', 'queued', 'preparing', 'preparing'],
  );
});
