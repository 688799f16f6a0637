import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SweepTrial } from '../../../src/contracts/sweep-view.js';
import { AppError } from '../../../src/errors.js';
import {
  cancelExperiment,
  deleteExperiment,
  pauseExperiment,
  resumeExperiment,
} from '../../../src/experiments/control-experiment.js';
import type { PlayedLoss } from '../../support/fake-executor.js';
import { temporaryFolder } from '../../support/service.js';
import { startSweepService } from '../../support/sweep-service.js';
import { turns } from '../../support/turns.js';

/** Best near a learning rate of 3 and an output dropout of 0.2; falls from epoch to epoch. */
const loss: PlayedLoss = ({ optimizer, model }, epoch) =>
  4 + Math.log10(optimizer.learningRate / 3) ** 2 + (model.dropout.output - 0.2) ** 2 + 1 / epoch;

const BODY = {
  name: 'a sweep',
  base: { training: { epochs: 9 } },
  space: {
    'optimizer.learningRate': { type: 'log-uniform', low: 0.01, high: 100 },
    'model.dropout.output': { type: 'uniform', low: 0, high: 0.8 },
  },
  stopping: { type: 'asha' },
  limits: { experiments: 24, parallel: 3 },
};

const start = (t: TestContext, options: { dataDir?: string; slots?: number; maxQueued?: number } = {}) =>
  startSweepService(t, { dataDir: temporaryFolder(t), loss, ...options });

/** What a sweep found, without what differs from one to the next. */
const outcome = (trials: readonly SweepTrial[]) =>
  trials.map(({ trial, state, point, epochs, value, bestEpoch }) => ({
    trial,
    state,
    point,
    epochs,
    value: value?.toPrecision(12), // perplexities are stored, losses are their logarithms
    bestEpoch,
  }));

function assertRefused(call: () => unknown, code: string): void {
  assert.throws(call, (error) => error instanceof AppError && error.code === code);
}

test('a sweep with asha tries its trials, stops most at the first rung, and finds a good one', async (t) => {
  const { services, reaches, trials } = start(t);
  const { id, state, links } = await services.sweeps.create(BODY);
  assert.equal(state, 'running');
  const sweep = await reaches(id, 'finished');
  assert.equal(sweep.reason, 'experiments');
  assert.equal(sweep.trials.proposed, 24);
  assert.equal(sweep.trials.running + sweep.trials.waiting + sweep.trials.failed, 0);
  assert.ok(sweep.trials.finished >= 2 && sweep.trials.stopped >= 12, JSON.stringify(sweep.trials));
  assert.ok(sweep.epochs.trained < sweep.epochs.withoutStopping / 2, JSON.stringify(sweep.epochs));
  assert.equal(sweep.epochs.withoutStopping, 24 * 9);
  const best = sweep.best!;
  assert.equal(best.value, Math.min(...trials(id).map(({ value }) => value!)));
  assert.ok(best.value! < 4.4, `${best.value}`);
  assert.ok(sweep.importance!['optimizer.learningRate']! > sweep.importance!['model.dropout.output']!);

  const query = { sort: 'created', descending: false, limit: 50, tag: `sweep:${id}` };
  const { experiments } = services.store.page(query);
  assert.equal(experiments.length, 24, links.experiments);
  assert.match(experiments[0]!.name, /^a sweep #0: learningRate [\d.e-]+, output [\d.e-]+$/);
  for (const { state: ended, experimentIds, epochs } of trials(id)) {
    const experiment = services.store.experiments.find(experimentIds[0]!)!;
    assert.equal(experiment.state, ended === 'finished' ? 'succeeded' : 'paused');
    assert.equal(
      services.store.metrics.count(experiment.number, 'validLoss'),
      epochs,
      'not an epoch too many',
    );
  }
});

test('the same body finds the same, whatever the slots and however often the server is restarted', async (t) => {
  const first = start(t, { slots: 3 });
  const { id } = await first.services.sweeps.create(BODY);
  await first.reaches(id, 'finished');
  const expected = outcome(first.trials(id));

  const dataDir = temporaryFolder(t);
  let second = start(t, { dataDir, slots: 1 });
  const again = await second.services.sweeps.create(BODY);
  for (const proposed of [1, 4, 5, 11, 20]) {
    await second.until(() => second.trials(again.id).length >= proposed);
    await second.services.close();
    second = start(t, { dataDir, slots: 1 });
  }
  await second.reaches(again.id, 'finished');
  assert.deepEqual(outcome(second.trials(again.id)), expected);
});

test('pausing a sweep pauses its experiments, resuming goes on, and the result is the same', async (t) => {
  const whole = start(t);
  const { id } = await whole.services.sweeps.create(BODY);
  await whole.reaches(id, 'finished');

  const paused = start(t);
  const { sweeps, store } = paused.services;
  const other = await sweeps.create(BODY);
  await paused.until(() => paused.trials(other.id).length >= 8);
  assert.equal(sweeps.pause('a sweep').state, 'paused', 'by its name');
  assert.equal(sweeps.pause(other.id).state, 'paused', 'asking twice is asking once');
  await paused.until(
    () => store.experiments.withState('queued', 'preparing', 'running', 'pausing').length === 0,
  );
  assert.equal(sweeps.resume(other.id).state, 'running');
  await paused.reaches(other.id, 'finished');
  assert.deepEqual(outcome(paused.trials(other.id)), outcome(whole.trials(id)));
});

test('a finished sweep is extended: it goes on with new trials and ends as one extended before it ended', async (t) => {
  const { services, reaches, trials, until } = start(t);
  const { id } = await services.sweeps.create(BODY);
  await reaches(id, 'finished');
  const before = outcome(trials(id));
  const extended = services.sweeps.extend(id, { experiments: 6 });
  assert.equal(extended.state, 'running');
  assert.equal(extended.limits.experiments, 30);
  const sweep = await reaches(id, 'finished');
  assert.equal(sweep.trials.proposed, 30);
  assert.deepEqual(
    outcome(trials(id))
      .slice(0, 24)
      .map(({ point }) => point),
    before.map(({ point }) => point),
  );
  await until(() => services.store.experiments.withState('running', 'queued').length === 0);
});

test('cancelling ends all experiments that have not ended', async (t) => {
  const { services, until, trials, reaches } = start(t);
  const { id } = await services.sweeps.create(BODY);
  await until(() => trials(id).length >= 8);
  services.sweeps.cancel(id);
  await reaches(id, 'cancelled');
  const open = () =>
    services.store.experiments.withState('queued', 'preparing', 'running', 'pausing', 'paused', 'cancelling');
  await until(() => open().length === 0);
  assertRefused(() => services.sweeps.resume(id), 'sweep-state-conflict');
  assertRefused(() => services.sweeps.extend(id, { experiments: 1 }), 'sweep-state-conflict');
  services.sweeps.delete(id);
  assertRefused(() => services.sweeps.cancel(id), 'sweep-not-found');
  assert.ok(services.store.experiments.countByState().get('cancelled')! >= 8, 'experiments stay');
});

test('several seeds a point: their mean decides, and all of them pause and go on together', async (t) => {
  const { services, reaches, trials } = start(t);
  const body = { ...BODY, seedsPerPoint: 2, limits: { experiments: 20, parallel: 2 } };
  const { id } = await services.sweeps.create(body);
  const sweep = await reaches(id, 'finished');
  assert.equal(sweep.trials.limit, 10);
  assert.equal(trials(id).length, 10);
  for (const { experimentIds, epochs } of trials(id)) {
    const seeds = experimentIds.map((one) => services.store.experiments.find(one)!.config.training.seed);
    assert.deepEqual(seeds, [1, 2]);
    assert.ok([1, 3, 9].includes(epochs));
  }
});

test('a sweep ends at its longest time, and more time lets it go on', async (t) => {
  const { services, reaches, until } = start(t);
  const body = { ...BODY, limits: { experiments: 200, parallel: 1, maxDuration: 0.05 } };
  const { id } = await services.sweeps.create(body);
  const sweep = await reaches(id, 'finished');
  assert.equal(sweep.reason, 'time');
  assert.ok(sweep.trials.proposed < 200 && sweep.runningSeconds >= 0.05);
  await until(() => services.store.experiments.withState('running', 'queued', 'pausing').length === 0);
  services.sweeps.extend(id, { maxDuration: 3600 });
  const before = sweep.trials.proposed;
  await until(() => services.store.sweeps.trials(1).length > before + 3);
  services.sweeps.cancel(id);
});

test('a grid smaller than the limit ends when every point was tried', async (t) => {
  const { services, reaches, trials } = start(t);
  const { id } = await services.sweeps.create({
    base: { training: { epochs: 2 } },
    space: { 'optimizer.learningRate': { type: 'choice', values: [1, 3, 30] } },
    strategy: { type: 'grid' },
  });
  const sweep = await reaches(id, 'finished');
  assert.equal(sweep.reason, 'space');
  assert.deepEqual(
    trials(id).map(({ state }) => state),
    ['finished', 'finished', 'finished'],
  );
  assert.deepEqual(sweep.best!.point, { 'optimizer.learningRate': 3 });
  assert.equal(sweep.name, 'grid over learningRate on handbook');
});

test('a sweep ends when the last experiment has evaluated its test text, which nothing interrupts', async (t) => {
  const { services, reaches, trials } = start(t, { slots: 1 });
  const { store } = services;
  const { id } = await services.sweeps.create({
    ...BODY,
    stopping: { type: 'none' },
    limits: { experiments: 5, parallel: 2 },
  });
  await reaches(id, 'finished');
  for (const { experimentIds } of trials(id)) {
    const experiment = store.experiments.find(experimentIds[0]!)!;
    assert.equal(experiment.state, 'succeeded');
    assert.deepEqual(store.events.after(experiment, 0, 1000, ['pausing']), []);
  }
});

test('a sweep that is paused in the last evaluation goes on with it', async (t) => {
  const { services, reaches, trials, until } = start(t, { slots: 1 });
  const { store, sweeps } = services;
  const { id } = await sweeps.create({
    ...BODY,
    stopping: { type: 'none' },
    limits: { experiments: 1, parallel: 1 },
  });
  await until(() => trials(id).length === 1);
  const { number } = store.experiments.find(trials(id)[0]!.experimentIds[0]!)!;
  await until(() => store.metrics.count(number, 'validLoss') === 9, 1);
  sweeps.pause(id);
  await turns(50);
  assert.equal(sweeps.resume(id).state, 'running');
  await reaches(id, 'finished');
  assert.equal(store.experiments.find(trials(id)[0]!.experimentIds[0]!)!.state, 'succeeded');
});

test('an experiment that somebody cancels or deletes fails its trial; one that somebody pauses is waited for', async (t) => {
  const { services, reaches, trials, until } = start(t, { slots: 1 });
  const { id } = await services.sweeps.create({
    ...BODY,
    limits: { experiments: 6, parallel: 3 },
    stopping: { type: 'none' },
  });
  await until(() => trials(id).length === 3, 1); // none has ended yet
  const [first, second, third] = trials(id).map(({ experimentIds }) => experimentIds[0]!);
  pauseExperiment(services, third!);
  cancelExperiment(services, first!);
  cancelExperiment(services, second!);
  await until(() => services.store.experiments.find(second!)?.state === 'cancelled');
  await deleteExperiment(services, services.environment.dataDir, second!);
  await until(() => trials(id).filter(({ state }) => state === 'failed').length === 2);
  await until(() => services.store.experiments.find(third!)?.state === 'paused');
  await turns(200);
  assert.equal(services.store.experiments.find(third!)?.state, 'paused', 'the sweep leaves it alone');
  resumeExperiment(services, third!);
  const sweep = await reaches(id, 'finished');
  assert.deepEqual([sweep.trials.failed, sweep.trials.finished], [2, 4]);
});

test('a trial at its rung rests while the sweep waits for one before it that somebody has paused', async (t) => {
  const { services, reaches, trials, until } = start(t, { slots: 1 });
  const { id } = await services.sweeps.create({ ...BODY, limits: { experiments: 6, parallel: 3 } });
  const experiment = (trial: number) =>
    services.store.experiments.find(trials(id)[trial]!.experimentIds[0]!)!;
  await until(() => trials(id).length === 3, 1);
  pauseExperiment(services, experiment(1).id); // while it is queued
  await until(() => experiment(2).state === 'paused');
  const attempts = async () => {
    await turns(300);
    return trials(id).map((_, trial) => experiment(trial).attempt);
  };
  assert.deepEqual(await attempts(), await attempts(), 'nothing is started again and again');
  assert.equal(trials(id)[2]!.state, 'running', 'the sweep has not decided yet');
  resumeExperiment(services, experiment(1).id);
  await reaches(id, 'finished');
});

test('a queue that is full for a moment delays a sweep, and does not end it', async (t) => {
  const { services, until, trials } = start(t, { slots: 1, maxQueued: 1 });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { id } = await services.sweeps.create({ ...BODY, limits: { experiments: 8, parallel: 4 } });
  await until(() => trials(id).length >= 1);
  for (let turn = 0; turn < 200; turn++) {
    t.mock.timers.tick(5000);
    await turns(1);
  }
  t.mock.timers.reset();
  await until(() => trials(id).length === 8);
});

test('the events of a sweep tell its story in order, without gaps', async (t) => {
  const { services, reaches, trials } = start(t);
  const { id } = await services.sweeps.create(BODY);
  await reaches(id, 'finished');
  const sweep = services.store.sweeps.find(id)!;
  const events = services.store.sweeps.eventsAfter(sweep, 0, 10_000);
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => index + 1),
  );
  assert.equal(events[0]!.type, 'started');
  assert.equal(events.at(-1)!.type, 'finished');
  const of = (type: string) => events.filter((event) => event.type === type);
  assert.equal(of('trial').length, 24);
  assert.ok(of('promoted').length >= 8, `${of('promoted').length}`);
  assert.deepEqual(of('best').at(-1)!.data.value, events.at(-1)!.data.bestValue);
  assert.equal(of('rung').length, of('trial').length + of('promoted').length);
  assert.equal(trials(id).length, 24);
});
