/** The choice among machines, and their loss: inferencers in this process, over real sockets. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { RunOptions } from '../../src/compute/inference-executor.js';
import { BalancedInferenceExecutor } from '../../src/compute/inferencers/balanced-inference-executor.js';
import { GenerationRequest } from '../../src/contracts/generation.js';
import type { InferenceTask } from '../../src/contracts/jobs.js';
import { type ScorePart, ScoreRequest } from '../../src/contracts/score.js';
import { appError } from '../../src/errors.js';
import { cleanUp } from '../support/clean-up.js';
import { CuttableProxy } from '../support/cuttable-proxy.js';
import { FakeInferenceExecutor } from '../support/fake-executor.js';
import {
  type FakeInferencerOptions,
  joinAsInferencer,
  listenForInferencers,
} from '../support/fake-inferencer.js';

const modelOf = (experimentId: string) => ({
  experimentId,
  folder: `experiments/${experimentId}/model`,
  digest: 'd',
});

function generate(experimentId = 'e'): Extract<InferenceTask, { type: 'generate' }> {
  return {
    type: 'generate',
    model: modelOf(experimentId),
    request: GenerationRequest.parse({ prompt: 'a' }),
  };
}

interface Setting {
  readonly openTasks?: number;
  readonly silenceMs?: number;
}

async function start(context: TestContext, { openTasks = 100, silenceMs = 60_000 }: Setting = {}) {
  const local = new FakeInferenceExecutor();
  const notices: string[] = [];
  const executor = new BalancedInferenceExecutor({
    local,
    localSlots: 1,
    openTasks,
    silenceMs,
    onNotice: (notice) => notices.push(notice),
  });
  const port = await listenForInferencers(context, executor);
  const stopping = new AbortController(); // ends endless generations
  cleanUp(context, () => stopping.abort());
  const join = async (options: FakeInferencerOptions = {}) => {
    const fake = new FakeInferenceExecutor();
    return {
      fake,
      ...(await joinAsInferencer(context, `http://127.0.0.1:${port}`, { executor: fake, ...options })),
    };
  };
  return { local, executor, notices, port, join, signal: stopping.signal };
}

/** Resolves when a condition holds after some turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((turn) => setImmediate(turn));
}

test('without an inferencer all tasks run here, up to the limit', async (context) => {
  const { local, executor, signal } = await start(context, { openTasks: 2 });
  local.isEndless = true;
  const open = [executor.run(generate(), { signal }), executor.run(generate(), { signal })];
  await assert.rejects(executor.run(generate()), { code: 'queue-full', message: /is full \(2\)/ });
  assert.equal(local.tasks.length, 2);
  assert.deepEqual(executor.inferencers(), []);
  void Promise.allSettled(open);
});

test('a task goes to a machine that has its model and a free slot, else to the one with the least load', async (context) => {
  const { local, executor, join, signal } = await start(context);
  const a = await join({ id: 'a', slots: 2 });
  const b = await join({ id: 'b' });
  for (const each of [local, a.fake, b.fake]) each.isEndless = true;
  const chosen: string[] = [];
  const counts = () => ({ server: local.tasks.length, a: a.fake.tasks.length, b: b.fake.tasks.length });
  const place = async (task: InferenceTask) => {
    const before = counts();
    void executor.run(task, { signal }).catch(() => {});
    const changed = () => Object.entries(counts()).find(([name, count]) => count > before[name as 'a'])?.[0];
    await until(() => changed() !== undefined);
    chosen.push(changed()!);
  };
  await place(generate()); // none has it, all are idle
  await place(generate()); // the server is full
  await place(generate()); // has it, and a free slot
  await place(generate()); // the last idle one
  await place(generate('other')); // all are full
  await place(generate('other')); // by tasks per slot
  assert.deepEqual(chosen, ['server', 'a', 'a', 'b', 'server', 'a']);
  assert.deepEqual(
    executor.inferencers().map(({ id, slots, active }) => [id, slots, active]),
    [
      ['a', 2, 3],
      ['b', 1, 1],
    ],
  );
});

test('tasks that read a corpus or write files stay at the server', async (context) => {
  const { local, executor, join, signal } = await start(context);
  const { fake } = await join();
  local.isEndless = true;
  void executor.run(generate(), { signal });
  await executor.run({ type: 'evaluate', model: modelOf('e'), request: { counting: 'exact' } });
  await executor.run({
    type: 'score',
    model: modelOf('e'),
    request: ScoreRequest.parse({ text: 'a', dynamic: { rule: 'rms' } }),
  });
  assert.deepEqual(
    local.tasks.map(({ type }) => type),
    ['generate', 'evaluate', 'score'],
  );
  await executor.run({ type: 'score', model: modelOf('e'), request: ScoreRequest.parse({ text: 'a' }) });
  assert.deepEqual(
    fake.tasks.map(({ type }) => type),
    ['score'],
  );
});

test('a task that is lost before its first part runs elsewhere; after it, it is an error that names the machine', async (context) => {
  const { local, executor, join, notices, signal } = await start(context);
  local.isEndless = true;
  void executor.run(generate(), { signal });
  const { fake, socket } = await join({ id: 'rack-3', slots: 2 });
  fake.isEndless = true;
  const quiet = executor.run(generate(), { signal });
  const heard = await new Promise<{ task: Promise<unknown> }>((resolve) => {
    const task: Promise<unknown> = executor.run(generate(), { signal, onPart: () => resolve({ task }) });
  });
  local.isEndless = false;
  socket.terminate();
  await assert.rejects(heard.task, {
    code: 'host-died',
    message: /inferencer rack-3 was lost: the connection broke/,
  });
  assert.equal((await quiet).finishReason, 'length');
  assert.equal(local.tasks.length, 2);
  assert.match(notices.join('\n'), /a task of inferencer rack-3 runs elsewhere/);
  assert.deepEqual(executor.inferencers(), []);
});

test('a task whose model a machine cannot fetch runs elsewhere; an error of the task itself is passed on', async (context) => {
  const { local, executor, join, signal } = await start(context);
  local.isEndless = true;
  void executor.run(generate(), { signal });
  local.isEndless = false;
  let error = appError('host-unavailable', { host: 'http://server', reason: 'no answer' });
  await join({ executor: { run: () => Promise.reject(error) } });
  assert.equal((await executor.run(generate())).finishReason, 'length');
  assert.equal(local.tasks.length, 2);
  error = appError('token-id-out-of-range', { id: 7, size: 5 });
  await assert.rejects(executor.run(generate()), {
    code: 'token-id-out-of-range',
    details: { id: 7, size: 5 },
  });
  assert.equal(local.tasks.length, 2);
});

test('an aborted generation ends at its inferencer', async (context) => {
  const { local, executor, join, signal } = await start(context);
  local.isEndless = true;
  void executor.run(generate(), { signal });
  const { fake } = await join();
  fake.isEndless = true;
  const aborting = new AbortController();
  const open = executor.run(generate(), { signal: aborting.signal, onPart: () => aborting.abort() });
  assert.equal((await open).finishReason, 'cancelled');
  assert.equal(fake.cancelled, 1);
});

/** Reads a streamed text as a host does: each part asks for the next piece. */
async function readAll({ onPart, input }: RunOptions<ScorePart>, pieces: string[]) {
  const scored = { token: 'a', start: 0, end: 1, surprisal: 1 };
  for (;;) {
    onPart!({ tokens: pieces.length === 0 ? [] : [scored], wantsMore: true });
    const next = await input!.next();
    if (next.done) break;
    pieces.push(next.value);
  }
  return {
    perplexity: 4,
    loss: Math.log(4),
    bitsPerByte: 2,
    tokens: pieces.length,
    bytes: 6,
    unknownTokens: 0,
  };
}

test('a streamed text is read piece by piece, no faster than its parts are handled', async (context) => {
  const { local, executor, join, signal } = await start(context);
  local.isEndless = true;
  void executor.run(generate(), { signal });
  const asked: string[] = [];
  await join({
    executor: { run: (_task, options) => readAll(options as RunOptions<ScorePart>, asked) as never },
  });
  const order: string[] = [];
  async function* pieces(): AsyncGenerator<string, undefined, undefined> {
    for (const piece of ['one', 'two']) {
      order.push(`reads ${piece}`);
      yield piece;
    }
    return undefined;
  }
  const result = await executor.run(
    { type: 'score-stream', model: modelOf('e'), request: { tokens: true } },
    {
      input: pieces(),
      onPart: async ({ tokens }) => {
        await new Promise((turn) => setImmediate(turn));
        order.push(`handles ${tokens.length}`);
      },
    },
  );
  assert.equal(result.tokens, 2);
  assert.deepEqual(asked, ['one', 'two']);
  assert.deepEqual(order, ['handles 0', 'reads one', 'handles 1', 'reads two', 'handles 1']);
});

test('both sides notice within the limit that the wire between them is cut', async (context) => {
  const { executor, port, notices } = await start(context, { silenceMs: 200 });
  const proxy = await CuttableProxy.start(context, port);
  const { connection, socket } = await joinAsInferencer(context, `http://127.0.0.1:${proxy.port}`);
  for (let pings = 0; pings < 8; pings++) await once(socket, 'ping'); // longer than the limit
  assert.equal(executor.inferencers().length, 1);
  proxy.cut();
  assert.match(await connection.ended, /the connection broke/);
  await until(() => /inferencer a has left: the connection broke/.test(notices.at(-1)!));
  assert.deepEqual(executor.inferencers(), []);
});

test('an inferencer that leaves ends its tasks and gets no more', async (context) => {
  const { local, executor, join, signal } = await start(context);
  local.isEndless = true;
  void executor.run(generate(), { signal });
  const { fake, connection } = await join();
  fake.isEndless = true;
  const aborting = new AbortController();
  const open = executor.run(generate(), { signal: aborting.signal });
  await until(() => fake.tasks.length === 1);
  const left = connection.leave(60_000);
  await until(() => executor.inferencers().length === 0);
  local.isEndless = false;
  await executor.run(generate());
  assert.equal(fake.tasks.length, 1);
  aborting.abort();
  assert.equal((await open).finishReason, 'cancelled');
  await left;
});
