import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import request from 'supertest';
import type { Environment } from '../../src/contracts/environment.js';
import { parseEnvironment } from '../../src/contracts/environment.js';
import {
  cancelExperiment,
  pauseExperiment,
  resumeExperiment,
} from '../../src/experiments/control-experiment.js';
import { createExperiment } from '../../src/experiments/create-experiment.js';
import { viewExperiment } from '../../src/experiments/experiment-view.js';
import { findExperiment } from '../../src/experiments/find-experiment.js';
import { recordRunEvent } from '../../src/experiments/record-run.js';
import { createServices, type Services } from '../../src/experiments/services.js';
import { DATABASE_FILE } from '../../src/files/layout.js';
import { cleanUp } from '../support/clean-up.js';
import {
  checkpointEvent,
  epochEvent,
  FakeInferenceExecutor,
  FakeTrainingExecutor,
  SUCCEEDED_EVENT,
  startedEvent,
  stepEvent,
} from '../support/fake-executor.js';
import { ProgressClient } from '../support/progress-client.js';
import { startService, temporaryFolder } from '../support/service.js';

function start(dataDir: string, settings: Partial<Environment> = {}, plays = false) {
  const training = new FakeTrainingExecutor({ plays });
  const services = createServices({
    environment: { ...parseEnvironment({}), dataDir, shutdownGraceMs: 0, ...settings },
    trainingExecutor: training,
    inferenceExecutor: new FakeInferenceExecutor(),
  });
  return { training, services };
}

/** Waits until an experiment is in a state. */
async function untilState(services: Services, id: string, state: string): Promise<void> {
  if (findExperiment(services.store, id).state === state) return;
  await new Promise<void>((reached) => {
    const stop = services.bus.subscribe(id, () => {
      if (findExperiment(services.store, id).state !== state) return;
      stop();
      reached();
    });
  });
}

const eventTypes = (services: Services, id: string) =>
  services.store.events.after(findExperiment(services.store, id), 0, 1000).map(({ type }) => type);

async function post(services: Services, body: object = {}): Promise<string> {
  return (await createExperiment(services, body)).experiment.id;
}

test('a host that dies leaves its experiment interrupted where it may not restart, and the queue goes on', async (t) => {
  const { services, training } = start(temporaryFolder(t), { maxRestarts: 0 });
  cleanUp(t, () => services.close());
  const first = await post(services);
  const second = await post(services);
  const run = await training.run(0);
  run.emit(startedEvent(), epochEvent(1), checkpointEvent(1));
  run.finish({ type: 'interrupted', reason: 'The training host exited (code null, signal SIGKILL)' });
  await untilState(services, first, 'interrupted');
  assert.equal((await training.run(1)).experimentId, second);
  const last = services.store.events.after(findExperiment(services.store, first), 0, 1000).at(-1)!;
  assert.deepEqual(last.data, {
    reason: 'The training host exited (code null, signal SIGKILL)',
    willRestart: false,
  });
  assert.equal(resumeExperiment(services, first).state, 'queued');
});

test('with restarts left it is queued again and goes on from its checkpoint, that many times', async (t) => {
  const { services, training } = start(temporaryFolder(t), { maxRestarts: 1 });
  cleanUp(t, () => services.close());
  const id = await post(services);
  const run = await training.run(0);
  run.emit(startedEvent(), stepEvent(5), epochEvent(1), checkpointEvent(1), stepEvent(15));
  run.finish({ type: 'interrupted', reason: 'for a test' });
  const again = await training.run(1);
  assert.equal(again.job.resume, true);
  assert.equal(again.job.attempt, 2);
  again.emit(startedEvent(2, { epoch: 1, step: 10 }));
  await untilState(services, id, 'running');
  const { number } = findExperiment(services.store, id);
  const steps = services.store.metrics.points(number, 'stepLoss', -1, 100).map(({ step }) => step);
  assert.deepEqual(steps, [5], 'what came after the checkpoint is measured again');
  again.finish({ type: 'interrupted', reason: 'for a test' });
  await untilState(services, id, 'interrupted');
  assert.equal(training.runs.length, 2);
});

test('a pause stops the training at its next step, and resuming goes on from there', async (t) => {
  const { services, training } = start(temporaryFolder(t));
  cleanUp(t, () => services.close());
  const id = await post(services);
  const run = await training.run(0);
  run.emit(startedEvent());
  await untilState(services, id, 'running');
  assert.equal(pauseExperiment(services, id).state, 'pausing');
  assert.deepEqual(run.stops, ['pause']);
  run.finish({ type: 'stopped', mode: 'pause' });
  await untilState(services, id, 'paused');
  assert.equal(pauseExperiment(services, id).state, 'paused');
  resumeExperiment(services, id);
  const again = await training.run(1);
  assert.equal(again.job.resume, true);
  again.emit(startedEvent(2, { epoch: 0, step: 5 }), SUCCEEDED_EVENT);
  again.finish({ type: 'succeeded' });
  await untilState(services, id, 'succeeded');
  assert.throws(() => cancelExperiment(services, id), { code: 'state-conflict' });
  assert.deepEqual(eventTypes(services, id), [
    'queued',
    'preparing',
    'started',
    'pausing',
    'paused',
    'queued',
    'preparing',
    'started',
    'succeeded',
  ]);
});

test('a server that stops in good order interrupts what trains, and the next one goes on with it', async (t) => {
  const dataDir = temporaryFolder(t);
  const { services, training } = start(dataDir, { shutdownGraceMs: 10_000 });
  const id = await post(services);
  const waiting = await post(services);
  const run = await training.run(0);
  run.onStop((mode) => {
    run.emit(checkpointEvent(1));
    run.finish({ type: 'stopped', mode });
  });
  run.emit(startedEvent(), epochEvent(1));
  await untilState(services, id, 'running');
  await services.close();

  const next = start(dataDir);
  cleanUp(t, () => next.services.close());
  const resumed = await next.training.run(0);
  assert.equal(resumed.experimentId, id, 'the queue keeps its order');
  assert.equal(resumed.job.resume, true);
  resumed.finish({ type: 'failed', error: { code: 'internal', message: 'for a test', details: {} } });
  const second = await next.training.run(1);
  assert.deepEqual([second.experimentId, second.job.resume], [waiting, false]);
  const seen = viewExperiment(next.services.store, findExperiment(next.services.store, id));
  assert.equal(seen.latest.validPerplexity, 200);
  assert.deepEqual(eventTypes(next.services, id).slice(3, 7), [
    'epoch',
    'checkpoint',
    'interrupted',
    'queued',
  ]);
});

test('a server that was killed finds its experiments interrupted, or stopped if that was asked for', async (t) => {
  const dataDir = temporaryFolder(t);
  const { services, training } = start(dataDir);
  const ids = [await post(services), await post(services), await post(services)] as const;
  await training.run(0);
  // What a killed server leaves: states that no process stands behind.
  const leave = { 0: 'running', 1: 'cancelling', 2: 'pausing' } as const;
  await services.close();
  const killed = start(dataDir);
  for (const [index, state] of Object.entries(leave)) {
    const { number } = findExperiment(killed.services.store, ids[Number(index)]!);
    killed.services.store.experiments.update(number, { state, willRestart: false });
  }
  killed.services.store.close();

  // The folder's lock is let go with the process; here by the services that had it.
  await killed.services.close().catch(() => {});
  const next = start(dataDir, { maxRestarts: 0 });
  cleanUp(t, () => next.services.close());
  const states = ids.map((id) => findExperiment(next.services.store, id).state);
  assert.deepEqual(states, ['interrupted', 'cancelled', 'paused']);
  for (const id of ids) {
    const seqs = next.services.store.events
      .after(findExperiment(next.services.store, id), 0, 100)
      .map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      seqs.map((_, index) => index + 1),
    );
  }
});

test('a deletion that was cut short is ended, or taken back where the experiment is still there', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = await startService(t, { dataDir, plays: true });
  const create = async () => {
    const { body } = await request(first.address).post('/experiments').send({}).expect(201);
    await new ProgressClient(`${first.socketAddress}/experiments/${body.id}/progress`).closed;
    return body.id as string;
  };
  const [kept, deleted] = [await create(), await create()];
  const folder = (name: string) => join(dataDir, 'experiments', name);
  await first.close();
  rmSync(folder(kept), { recursive: true }); // it was set aside
  for (const name of [`.deleted-${kept}`, '.deleted-e-gone', deleted]) {
    mkdirSync(folder(name), { recursive: true });
    writeFileSync(join(folder(name), 'weights'), name);
  }
  const second = await startService(t, { dataDir });
  assert.equal(readFileSync(join(folder(kept), 'weights'), 'utf8'), `.deleted-${kept}`);
  await request(second.address).delete(`/experiments/${deleted}`).expect(204);
  assert.deepEqual(readdirSync(join(dataDir, 'experiments')), [kept]);
});

test('a folder that was being filled goes when its experiment was not stored, and others without one stay', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = await startService(t, { dataDir });
  const { body } = await request(first.address).post('/experiments').send({}).expect(201);
  await first.close();
  const root = join(dataDir, 'experiments');
  for (const name of [body.id, 'never-stored', 'of-another-database']) {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, 'weights'), '');
  }
  for (const name of [body.id, 'never-stored']) writeFileSync(join(root, `.coming-${name}`), '');
  await startService(t, { dataDir });
  assert.deepEqual(readdirSync(root).sort(), [body.id, 'of-another-database'].sort());
  assert.deepEqual(readdirSync(join(root, body.id)), ['weights']);
});

test('a checkpoint is progress: an experiment may be interrupted again and again while it gets on', async (t) => {
  const { services, training } = start(temporaryFolder(t), { maxRestarts: 1 });
  cleanUp(t, () => services.close());
  const id = await post(services);
  for (let attempt = 1; attempt <= 4; attempt++) {
    const run = await training.run(attempt - 1);
    run.emit(startedEvent(attempt, attempt === 1 ? null : { epoch: attempt - 1, step: (attempt - 1) * 10 }));
    run.emit(epochEvent(attempt), checkpointEvent(attempt));
    run.finish({ type: 'interrupted', reason: 'for a test' });
  }
  const last = await training.run(4);
  last.emit(startedEvent(5, { epoch: 4, step: 40 }));
  last.finish({ type: 'interrupted', reason: 'for a test' });
  await untilState(services, id, 'interrupted');
  assert.equal(training.runs.length, 5, 'without a new checkpoint it stays interrupted');
});

test('what trained when the server was killed goes on by itself at the next start', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = start(dataDir);
  const id = await post(first.services);
  (await first.training.run(0)).emit(startedEvent(), epochEvent(1), checkpointEvent(1));
  await untilState(first.services, id, 'running');
  const { number } = findExperiment(first.services.store, id);
  await first.services.close();
  const killed = new Sqlite(join(dataDir, DATABASE_FILE)); // as a server leaves it that could not say anything any more
  killed.prepare("UPDATE experiments SET state = 'running', will_restart = 0 WHERE number = ?").run(number);
  killed.close();
  const next = start(dataDir);
  cleanUp(t, () => next.services.close());
  const { job } = await next.training.run(0);
  assert.deepEqual([job.experimentId, job.resume, job.attempt], [id, true, 2]);
});

test('an attempt that was thought dead is not heard any more, and nothing is recorded twice', async (t) => {
  const { services, training } = start(temporaryFolder(t));
  cleanUp(t, () => services.close());
  const id = await post(services);
  const zombie = await training.run(0);
  zombie.emit(startedEvent());
  await untilState(services, id, 'running');
  const lease = { experimentId: id, attempt: 1 };
  assert.equal(
    recordRunEvent(services, lease, { seq: 1, event: stepEvent(1) }),
    false,
    'it was recorded before',
  );
  assert.equal(recordRunEvent(services, lease, { seq: 2, event: stepEvent(1) }), true);
  assert.equal(recordRunEvent(services, lease, { seq: 2, event: stepEvent(1) }), false);
  zombie.finish({ type: 'interrupted', reason: 'it seems to be dead' });
  const second = await training.run(1);
  second.emit(startedEvent(2));
  await untilState(services, id, 'running');
  for (const event of [stepEvent(99), checkpointEvent(9), SUCCEEDED_EVENT])
    assert.equal(recordRunEvent(services, lease, { seq: 50, event }), false);
  const experiment = findExperiment(services.store, id);
  assert.deepEqual([experiment.state, experiment.modelDigest, experiment.runSeq], ['running', null, 1]);
});

test('uploads and deletions that a stopped server left half done go at the next start', async (t) => {
  const dataDir = temporaryFolder(t);
  await start(dataDir).services.close();
  for (const name of ['.upload-c-1', '.removed-c-2', 'c-3']) {
    mkdirSync(join(dataDir, 'corpora', name), { recursive: true });
    writeFileSync(join(dataDir, 'corpora', name, 'whole.txt'), 'half');
  }
  const next = start(dataDir);
  cleanUp(t, () => next.services.close());
  assert.deepEqual(readdirSync(join(dataDir, 'corpora')), ['c-3']);
});

test('a data folder that is renamed under a running server makes it unready, and nothing lands elsewhere', async (t) => {
  const root = temporaryFolder(t);
  const [dataDir, elsewhere] = [join(root, 'data'), join(root, 'renamed')];
  const service = await startService(t, { dataDir });
  const upload = () =>
    request(service.address)
      .post('/corpora?name=cats')
      .set('content-type', 'text/plain')
      .send('a cat\n'.repeat(99));
  renameSync(dataDir, elsewhere);
  const unready = await request(service.address).get('/readyz').expect(503);
  assert.equal(unready.body.code, 'data-folder-missing');
  assert.match(unready.body.detail, /no longer exists/);
  const posted = await request(service.address).post('/experiments').send({ corpus: 'cats' }).expect(503);
  assert.equal(posted.body.code, 'data-folder-missing');
  assert.equal(
    (await request(service.address).post('/experiments').send({}).expect(503)).body.code,
    'data-folder-missing',
  );
  await upload().expect(503);
  await request(service.address).get('/corpora/cats').expect(503);
  assert.deepEqual(readdirSync(root), ['renamed']);
  mkdirSync(dataDir);
  assert.match((await request(service.address).get('/readyz').expect(503)).body.detail, /another folder/);
  rmdirSync(dataDir);
  renameSync(elsewhere, dataDir);
  await request(service.address).get('/readyz').expect(200);
  await upload().expect(201);
});
