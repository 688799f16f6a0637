import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  LocalTrainingExecutor,
  type LocalTrainingExecutorOptions,
} from '../../src/compute/local-training-executor.js';
import type { TrainingRun } from '../../src/compute/training-executor.js';
import { cleanUp } from '../support/clean-up.js';
import { untilGone } from '../support/process-end.js';
import { NO_FILES, trainingJob } from '../support/training-job.js';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url));

function startExecutor(
  context: TestContext,
  worker: string,
  options: Partial<LocalTrainingExecutorOptions> = {},
): LocalTrainingExecutor {
  const executor = new LocalTrainingExecutor({ workerFile: fixture(worker), files: NO_FILES, ...options });
  cleanUp(context, () => executor.close());
  return executor;
}

/** Reads a run to its end. */
async function follow(
  submitted: Promise<TrainingRun>,
): Promise<{ texts: string[]; outcome: Awaited<TrainingRun['outcome']> }> {
  const run = await submitted;
  const texts: string[] = [];
  for await (const events of run.events)
    for (const { event } of events) if (event.type === 'sample') texts.push(event.data.text);
  return { texts, outcome: await run.outcome };
}

/** The text of a run's first event, and the rest of the run. */
async function firstText(run: TrainingRun): Promise<string> {
  const { value } = await run.events[Symbol.asyncIterator]().next();
  const { event } = value?.[0] ?? {};
  assert.equal(event?.type, 'sample');
  return event.data.text;
}

test('hands over every event, in order, before the outcome', async (context) => {
  const { texts, outcome } = await follow(
    startExecutor(context, 'emit-three-events').submit(trainingJob('a')),
  );
  assert.deepEqual(outcome, { type: 'succeeded' });
  assert.deepEqual(
    texts.map((text) => text.length),
    [500_000, 500_000, 500_000],
  );
});

test('an error of the worker keeps its code and details on its way through thread and process', async (context) => {
  const { texts, outcome } = await follow(
    startExecutor(context, 'fail-after-two-steps').submit(trainingJob('a')),
  );
  assert.equal(texts.length, 2);
  assert.ok(outcome.type === 'failed');
  assert.equal(outcome.error.code, 'loss-not-finite');
  assert.equal(outcome.error.details.step, 2);
});

test('a crash of the host interrupts its training, and the next training gets a new host', async (context) => {
  const executor = startExecutor(context, 'crash-process');
  for (const id of ['a', 'b']) {
    const run = await executor.submit(trainingJob(id));
    assert.equal(await firstText(run), 'last words');
    run.stop('cancel');
    const outcome = await run.outcome;
    assert.ok(outcome.type === 'interrupted');
    assert.match(outcome.reason, /the training host exited \(signal SIGSEGV\)/);
    assert.deepEqual(executor.hostStats().processIds, []);
  }
});

test('a crash of a thread fails its training alone, and its host is replaced', async (context) => {
  const executor = startExecutor(context, 'crash-thread');
  const host = await executor.warmUp().then(() => executor.hostStats().processIds[0]);
  const { outcome } = await follow(executor.submit(trainingJob('crash')));
  assert.ok(outcome.type === 'failed');
  assert.equal(outcome.error.code, 'internal');
  assert.match(outcome.error.message, /nobody catches this/);
  let next = await follow(executor.submit(trainingJob('b')));
  if (next.outcome.type === 'interrupted') next = await follow(executor.submit(trainingJob('b')));
  assert.deepEqual(next.outcome, { type: 'succeeded' });
  assert.notEqual(Number(next.texts[0]), host);
});

test('an event that is not one of the contract fails the training and says why', async (context) => {
  const { outcome } = await follow(startExecutor(context, 'emit-nonsense').submit(trainingJob('a')));
  assert.ok(outcome.type === 'failed');
  assert.match(outcome.error.message, /invalid event.*epoch/s);
});

test('the host runs at a lower priority, without the server’s secrets, with the settings of compute', async (context) => {
  process.env.GATELM_API_KEYS = 'secret-key';
  cleanUp(context, () => delete process.env.GATELM_API_KEYS);
  const executor = startExecutor(context, 'wait-for-stop', {
    compute: { backend: 'wasm', kernels: 'composed', threads: 3 },
  });
  const run = await executor.submit(trainingJob('a'));
  const surroundings = JSON.parse(await firstText(run));
  run.stop('cancel');
  const expected = Math.min(19, getPriority(0) + 10);
  assert.deepEqual(surroundings, {
    pid: executor.hostStats().processIds[0],
    niceness: expected,
    kernels: 'composed',
  });
  assert.equal(executor.backendReport()?.threads, 3);
});

test('a stop reaches a training whose thread is blocked, and cancel overrides pause but not the other way', async (context) => {
  const executor = startExecutor(context, 'wait-for-stop', { slots: 2 });
  const [paused, cancelled] = await Promise.all(
    ['paused', 'cancelled'].map((id) => executor.submit(trainingJob(id))),
  );
  paused!.stop('pause');
  cancelled!.stop('cancel');
  cancelled!.stop('pause');
  assert.deepEqual(await paused!.outcome, { type: 'stopped', mode: 'pause' });
  assert.deepEqual(await cancelled!.outcome, { type: 'stopped', mode: 'cancel' });
});

test('a training that does not heed a stop is interrupted', async (context) => {
  const executor = startExecutor(context, 'ignore-stop', { limits: { stopMs: 50 } });
  const run = await executor.submit(trainingJob('a'));
  await firstText(run);
  run.stop('cancel');
  const outcome = await run.outcome;
  assert.ok(outcome.type === 'interrupted');
  assert.match(outcome.reason, /signal SIGKILL.*did not stop within 50 ms/);
});

test('a training that is killed ends at once; what trains in the same host is a bystander', async (context) => {
  const executor = startExecutor(context, 'ignore-stop', { slots: 2 });
  const [run, other] = [await executor.submit(trainingJob('a')), await executor.submit(trainingJob('b'))];
  await Promise.all([firstText(run), firstText(other)]);
  run.kill();
  const [outcome, beside] = await Promise.all([run.outcome, other.outcome]);
  assert.ok(outcome.type === 'interrupted' && beside.type === 'interrupted');
  assert.match(outcome.reason, /signal SIGKILL.*experiment a was killed/);
  assert.equal(outcome.isBystander, undefined);
  assert.equal(beside.isBystander, true);
});

test('a training that says nothing is interrupted', async (context) => {
  const executor = startExecutor(context, 'ignore-stop', { limits: { runSilenceMs: 100 } });
  const outcome = await (await executor.submit(trainingJob('a'))).outcome;
  assert.ok(outcome.type === 'interrupted');
  assert.match(outcome.reason, /signal SIGKILL.*sent no event for 100 ms/);
});

test('a host that sends no heartbeat is killed', async (context) => {
  const executor = startExecutor(context, 'ignore-stop', {
    limits: { heartbeatIntervalMs: 20, hostSilenceMs: 4000 },
  });
  const run = await executor.submit(trainingJob('a'));
  process.kill(Number(await firstText(run)), 'SIGSTOP');
  const outcome = await run.outcome;
  assert.ok(outcome.type === 'interrupted');
  assert.match(outcome.reason, /no heartbeat/);
});

test('an idle host that holds too much memory is replaced', async (context) => {
  const executor = startExecutor(context, 'crash-thread', {
    limits: { heartbeatIntervalMs: 1, idleRssBytes: 1 },
  });
  await executor.warmUp();
  const [first, second] = [
    await follow(executor.submit(trainingJob('a'))),
    await follow(executor.submit(trainingJob('b'))),
  ];
  assert.deepEqual([first.outcome, second.outcome], [{ type: 'succeeded' }, { type: 'succeeded' }]);
  assert.notEqual(first.texts[0], second.texts[0], 'ids of their processes');
});

test('close lets a training stop, interrupts it, and ends the host; later trainings do not start', async (context) => {
  const executor = startExecutor(context, 'wait-for-stop');
  const run = await executor.submit(trainingJob('a'));
  await firstText(run);
  await executor.close();
  for (const { outcome } of [run, await executor.submit(trainingJob('b'))]) {
    const ended = await outcome;
    assert.ok(ended.type === 'interrupted');
    assert.match(ended.reason, /the server was stopped/);
  }
  assert.deepEqual(executor.hostStats().processIds, []);
});

test('close kills a host whose training does not stop within the grace', async (context) => {
  const executor = startExecutor(context, 'ignore-stop', { limits: { closeMs: 50 } });
  const run = await executor.submit(trainingJob('a'));
  await firstText(run);
  await executor.close();
  const outcome = await run.outcome;
  assert.ok(outcome.type === 'interrupted');
  assert.match(outcome.reason, /signal SIGKILL/);
});

test('says at its start that TensorFlow does not load, and each training says it again', async (context) => {
  const executor = startExecutor(context, 'lack-backend');
  await assert.rejects(executor.warmUp(), { code: 'backend-unavailable' });
  const outcome = await (await executor.submit(trainingJob('a'))).outcome;
  assert.ok(outcome.type === 'failed');
  assert.equal(outcome.error.code, 'backend-unavailable');
});

test('a host whose server is killed ends too, though its training hangs in its thread', async () => {
  const server = spawn(process.execPath, [fixture('hold-training')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(server.stdout, 'data');
  const [host] = JSON.parse(String(line));
  assert.doesNotThrow(() => process.kill(host, 0), 'the host runs');
  server.kill('SIGKILL');
  await untilGone(host);
});
