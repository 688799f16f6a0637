/** The main job over real HTTP and WebSocket, against real processes, on real text. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import type { Experiment } from '../../src/contracts/experiment.js';
import type { GenerationResult } from '../../src/contracts/generation.js';
import type { Health } from '../../src/contracts/health.js';
import { cleanUp } from '../support/clean-up.js';
import { type GatelmServer, REPOSITORY, startGatelm } from '../support/gatelm-server.js';
import { untilGone } from '../support/process-end.js';
import { ProgressClient } from '../support/progress-client.js';
import { temporaryFolder } from '../support/service.js';

/** Some seconds of training. */
const TINY = {
  corpus: 'handbook',
  tokenizer: { type: 'word', vocabularySize: 500 },
  model: { embeddingSize: 16, hiddenSizes: [16] },
  training: { epochs: 1, batchSize: 50, bpttLength: 20, sampleLength: 5 },
};
/** Trains until it is stopped. */
const ENDLESS = { ...TINY, training: { ...TINY.training, epochs: 100_000 } };

/** As a client sees it while trainings use every core; far above what it takes, far below what a blocked API takes. */
const ANSWER_LIMIT_MS = 2_000;

function follow(test: TestContext, server: GatelmServer, { id }: Experiment): ProgressClient {
  const client = new ProgressClient(`${server.socketAddress}/experiments/${id}/progress?since=0`);
  cleanUp(test, () => client.socket.terminate());
  return client;
}

function read(server: GatelmServer, { id }: Experiment): Promise<Experiment> {
  return server.get<Experiment>(`/experiments/${id}`);
}

test('trains, streams, stores and generates; a second experiment waits; the API answers meanwhile', async (context) => {
  const server = await startGatelm(context, temporaryFolder(context));
  const first = await server.train({ ...TINY, name: 'first' });
  const second = await server.train({ ...TINY, name: 'second' });
  const progress = follow(context, server, first);
  await progress.until('started');

  await context.test('the second is queued while the first runs, and the API answers', async () => {
    const begin = performance.now();
    const [one, two] = [await read(server, first), await read(server, second)];
    assert.ok(performance.now() - begin < ANSWER_LIMIT_MS);
    assert.deepEqual([one.state, two.state], ['running', 'queued']);
  });

  await context.test('TensorFlow is in the training host and not in the server', async (test) => {
    if (process.platform !== 'linux') return test.skip('reads /proc');
    const { training } = await server.get<Health>('/healthz');
    const maps = (pid: number) => readFileSync(`/proc/${pid}/maps`, 'utf8');
    assert.doesNotMatch(maps(server.process.pid!), /tensorflow/);
    if (training.backend?.backend === 'native') assert.match(maps(training.processIds[0]!), /libtensorflow/);
  });

  await context.test(
    'the socket brings every stored event, in order, and closes after the last',
    async () => {
      assert.deepEqual(await progress.closed, { code: 1000, reason: 'succeeded' });
      const { items } = await server.get<{ items: unknown[] }>(`/experiments/${first.id}/events`);
      assert.equal(progress.messages[0]?.type, 'snapshot');
      assert.deepEqual(progress.messages.slice(1), items);
      assert.deepEqual(
        progress.seqs,
        items.map((_, index) => index + 1),
      );
    },
  );

  await context.test('the figures of the run are in the experiment and in its metrics', async () => {
    const experiment = await read(server, first);
    assert.equal(experiment.state, 'succeeded');
    const valid = experiment.latest.validPerplexity;
    assert.ok(
      valid !== null && valid > 1 && valid < 500,
      `valid perplexity ${valid}: fewer than the words it knows`,
    );
    assert.match(experiment.digest ?? '', /^[0-9a-f]{64}$/);
    const { series } = await server.get<{ series: Record<string, { value: number }[]> }>(
      `/experiments/${first.id}/metrics?keys=validPerplexity`,
    );
    assert.deepEqual(
      series.validPerplexity?.map(({ value }) => value),
      [valid],
    );
  });

  await context.test(
    'the model writes the same text for the same seed, while the second trains',
    async () => {
      const path = `/generate?experiment=${first.id}&prompt=The&maxTokens=20&temperature=0.8&topK=40&seed=1`;
      const [one, two] = [await server.get<GenerationResult>(path), await server.get<GenerationResult>(path)];
      assert.equal(one.tokens, 20);
      assert.equal(one.text, two.text);
    },
  );

  await context.test('the second ends like the first, byte for byte', async () => {
    await follow(context, server, second).closed;
    assert.equal((await read(server, second)).digest, (await read(server, first)).digest);
  });
});

test('SIGTERM stops cleanly; the next start shows all runs, generates from them, and goes on', async (context) => {
  const folder = temporaryFolder(context);
  const server = await startGatelm(context, folder);
  const done = await server.train(TINY);
  const going = await server.train(ENDLESS);
  await follow(context, server, done).closed;
  const progress = follow(context, server, going);
  await progress.until('epoch');
  const { training, inference } = await server.get<Health>('/healthz');
  assert.equal(await server.stop(), 0);
  for (const pid of [...training.processIds, ...inference.processIds]) await untilGone(pid);

  const next = await startGatelm(context, folder);
  const { items } = await next.get<{ items: Experiment[] }>('/experiments');
  assert.deepEqual(items.map(({ id }) => id).sort(), [done.id, going.id].sort());
  assert.equal((await next.get<GenerationResult>(`/generate?experiment=${done.id}&maxTokens=5`)).tokens, 5);
  const resumed = new ProgressClient(
    `${next.socketAddress}/experiments/${going.id}/progress?since=${progress.seqs.at(-1)}`,
  );
  cleanUp(context, () => resumed.socket.terminate());
  const started = await resumed.until('started');
  assert.ok(started.data.resumedFrom!.epoch >= 1);
});

test('kill -9 of the training host leaves the API up and the experiment interrupted', async (context) => {
  const server = await startGatelm(context, temporaryFolder(context), { GATELM_MAX_RESTARTS: '0' });
  const experiment = await server.train(ENDLESS);
  const progress = follow(context, server, experiment);
  await progress.until('step');
  const { training } = await server.get<Health>('/healthz');
  process.kill(training.processIds[0]!, 'SIGKILL');
  const interrupted = await progress.until('interrupted');
  assert.match(interrupted.data.reason, /signal SIGKILL/);
  assert.equal((await read(server, experiment)).state, 'interrupted');

  const next = await server.train(TINY);
  await follow(context, server, next).closed;
  assert.equal((await read(server, next)).state, 'succeeded');
});

test('kill -9 of the server ends its hosts; the next start goes on without what was lost', async (context) => {
  const folder = temporaryFolder(context);
  const server = await startGatelm(context, folder, { GATELM_MAX_RESTARTS: '1' });
  const experiment = await server.train(ENDLESS);
  const progress = follow(context, server, experiment);
  await progress.until('epoch');
  const { training } = await server.get<Health>('/healthz');
  server.process.kill('SIGKILL');
  for (const pid of training.processIds) await untilGone(pid);

  const next = await startGatelm(context, folder, { GATELM_MAX_RESTARTS: '1' });
  const resumed = follow(context, next, experiment);
  const known = progress.seqs.at(-1)!;
  await resumed.untilSeq(known + 1);
  const replayed = resumed.messages.filter(({ type, seq }) => type !== 'snapshot' && seq <= known);
  assert.deepEqual(replayed, progress.messages.slice(1), 'every event that was sent was stored');
  while (!(await read(next, experiment)).run || (await read(next, experiment)).state !== 'running')
    await after(50);
});

test('a generation is answered while a training uses every core', async (context) => {
  const server = await startGatelm(context, temporaryFolder(context));
  const experiment = await server.train(ENDLESS);
  await follow(context, server, experiment).until('checkpoint');
  const path = `/generate?experiment=${experiment.id}&maxTokens=20`;
  await server.get(path); // loads TensorFlow and the model
  const begin = performance.now();
  await server.get(path);
  assert.ok(performance.now() - begin < ANSWER_LIMIT_MS);
});

const mirror = process.env.GATELM_CORPORA_MIRROR ?? join(REPOSITORY, '..', 'shared', 'data');
const hasPtb = /^https?:/.test(mirror) || existsSync(join(mirror, 'ptb', 'ptb.train.txt'));

test('learns a part of PTB', { skip: hasPtb ? false : 'no mirror has PTB' }, async (context) => {
  const server = await startGatelm(context, temporaryFolder(context), { GATELM_CORPORA_MIRROR: mirror });
  const experiment = await server.train({
    preset: 'rnnlm',
    corpus: 'ptb',
    training: { epochs: 1, maxDuration: 10, sampleLength: 0 },
  });
  await follow(context, server, experiment).closed;
  const { state, vocabularySize, test: result } = await read(server, experiment);
  assert.equal(state, 'succeeded');
  assert.equal(vocabularySize, 10_000);
  // Better than guessing among its words, on the slowest machine.
  assert.ok(result.perplexity !== null && result.perplexity < 10_000, `test perplexity ${result.perplexity}`);
});
