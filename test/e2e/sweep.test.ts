/** A real sweep on a real server that is killed on its way: it finds the same, byte for byte, as one left alone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import type { Experiment } from '../../src/contracts/experiment.js';
import type { Sweep, SweepTrial } from '../../src/contracts/sweep-view.js';
import { type GatelmServer, startGatelm } from '../support/gatelm-server.js';
import { temporaryFolder } from '../support/service.js';

const TRIALS = 30;
const EPOCHS = 9;
const TEXT = 'the cat sat on the mat and the dog sat on the rug\n'.repeat(100);
const BODY = {
  corpus: 'cats',
  base: {
    model: { embeddingSize: 8, hiddenSizes: [8] },
    training: { epochs: EPOCHS, batchSize: 8, bpttLength: 10, sampleLength: 0 },
  },
  space: {
    'optimizer.type': { type: 'choice', values: ['sgd', 'adam'] },
    'optimizer.learningRate': { type: 'log-uniform', low: 0.001, high: 30 },
    'model.dropout.output': { type: 'uniform', low: 0, high: 0.5 },
  },
  stopping: { type: 'asha' },
  limits: { experiments: TRIALS, parallel: 2 },
};
const POLL_MS = 50;
const ONE_THREAD = { GATELM_THREADS: '1' };

async function post<Answer>({ address }: GatelmServer, path: string, body: object): Promise<Answer> {
  const response = await fetch(address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, await response.clone().text());
  return (await response.json()) as Answer;
}

/** A server with the text that the trials learn. */
async function startWithText(context: TestContext, dataDir: string): Promise<GatelmServer> {
  const server = await startGatelm(context, dataDir, ONE_THREAD);
  const response = await fetch(`${server.address}/corpora?name=cats`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: TEXT,
  });
  assert.equal(response.status, 201, await response.text());
  return server;
}

async function until(server: GatelmServer, id: string, isReached: (sweep: Sweep) => boolean): Promise<Sweep> {
  for (;;) {
    const sweep = await server.get<Sweep>(`/sweeps/${id}`);
    if (isReached(sweep)) return sweep;
    await after(POLL_MS);
  }
}

/** What a sweep found, with the digest of every model that was trained to its end; the last trainings write that down first. */
async function findings(server: GatelmServer, id: string) {
  const active = `/experiments?tag=sweep:${id}&state=queued,preparing,running,pausing`;
  while ((await server.get<{ items: Experiment[] }>(active)).items.length > 0) await after(POLL_MS);
  const { items } = await server.get<{ items: SweepTrial[] }>(`/sweeps/${id}/trials`);
  const rows = items.map(async ({ experimentIds, ...trial }) => {
    const { digest, state } = await server.get<Experiment>(`/experiments/${experimentIds[0]}`);
    return { ...trial, digest, experimentState: state };
  });
  return Promise.all(rows);
}

async function killed(context: TestContext, dataDir: string, server: GatelmServer): Promise<GatelmServer> {
  server.process.kill('SIGKILL');
  await once(server.process, 'exit');
  return startGatelm(context, dataDir, ONE_THREAD);
}

test(`a sweep of ${TRIALS} trials with asha that is killed twice finds the same best and the same bytes`, async (context) => {
  const alone = await startWithText(context, temporaryFolder(context));
  const { id } = await post<Sweep>(alone, '/sweeps', BODY);
  const whole = await until(alone, id, ({ state }) => state === 'finished');
  const expected = await findings(alone, id);
  await alone.stop();
  const finished = expected.filter(({ state }) => state === 'finished');
  assert.ok(finished.length >= 2 && finished.every(({ digest }) => digest !== null));
  const { trained, withoutStopping } = whole.epochs;
  assert.equal(withoutStopping, TRIALS * EPOCHS);
  context.diagnostic(`asha trained ${trained} of ${withoutStopping} epochs`);
  assert.ok(trained < withoutStopping / 2, `${trained} of ${withoutStopping} epochs`);

  const dataDir = temporaryFolder(context);
  let server = await startWithText(context, dataDir);
  const { id: other } = await post<Sweep>(server, '/sweeps', BODY);
  for (const proposed of [TRIALS / 3, (2 * TRIALS) / 3]) {
    await until(server, other, ({ trials }) => trials.proposed >= proposed);
    server = await killed(context, dataDir, server);
  }
  const again = await until(server, other, ({ state }) => state === 'finished');
  assert.deepEqual(await findings(server, other), expected);
  assert.deepEqual(again.best!.point, whole.best!.point);
  assert.equal(again.best!.value, whole.best!.value);
});
