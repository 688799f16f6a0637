import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  LocalInferenceExecutor,
  type LocalInferenceExecutorOptions,
} from '../../src/compute/local-inference-executor.js';
import { type GenerationPart, GenerationRequest } from '../../src/contracts/generation.js';
import type { InferenceTask } from '../../src/contracts/jobs.js';
import { cleanUp } from '../support/clean-up.js';
import { NO_FILES } from '../support/training-job.js';

function startExecutor(
  context: TestContext,
  options: Partial<LocalInferenceExecutorOptions> = {},
): LocalInferenceExecutor {
  const workerFile = fileURLToPath(new URL('../fixtures/obey-prompt.js', import.meta.url));
  const executor = new LocalInferenceExecutor({ workerFile, files: NO_FILES, ...options });
  cleanUp(context, () => executor.close());
  return executor;
}

function generate(prompt: string): Extract<InferenceTask, { type: 'generate' }> {
  return {
    type: 'generate',
    model: { experimentId: 'e', folder: 'model', digest: 'd' },
    request: GenerationRequest.parse({ prompt }),
  };
}

test('answers each task with its own result, from one process', async (context) => {
  const executor = startExecutor(context);
  const prompts = ['a', 'b', 'c'];
  const results = await Promise.all(prompts.map((prompt) => executor.run(generate(prompt))));
  assert.deepEqual(
    results.map(({ prompt }) => prompt),
    prompts,
  );
  assert.deepEqual([...new Set(results.map(({ text }) => Number(text)))], executor.hostStats().processIds);
  assert.equal(executor.backendReport()?.backend, 'wasm');
});

test('hands over the parts of a text in order, before its result', async (context) => {
  const heard: unknown[] = [];
  const executor = startExecutor(context);
  const onPart = ({ text, tokens }: GenerationPart) => heard.push([text, tokens]);
  await executor.run(generate('count'), { onPart }).then(() => heard.push('result'));
  assert.deepEqual(heard, [['1 ', 1], ['2 ', 2], ['3 ', 3], 'result']);
});

test('a generation that nobody waits for ends at its next token, also before it has begun', async (context) => {
  const executor = startExecutor(context);
  const [one, two] = [new AbortController(), new AbortController()];
  const first = executor.run(generate('until cancelled'), { onPart: () => one.abort(), signal: one.signal });
  const second = executor.run(generate('until cancelled'), { signal: two.signal });
  two.abort();
  assert.deepEqual(
    (await Promise.all([first, second])).map(({ finishReason }) => finishReason),
    ['cancelled', 'cancelled'],
  );
});

test('rejects with the code and details of what the model threw', async (context) => {
  await assert.rejects(startExecutor(context).run(generate('refuse')), {
    code: 'token-id-out-of-range',
    details: { id: 7, size: 5 },
  });
});

test('rejects what comes beyond the limit of open tasks, and takes tasks again afterwards', async (context) => {
  const executor = startExecutor(context, { limits: { openTasks: 2 } });
  const open = [executor.run(generate('a')), executor.run(generate('b'))];
  await assert.rejects(executor.run(generate('c')), { code: 'queue-full', message: /is full \(2\)/ });
  await Promise.all(open);
  assert.equal((await executor.run(generate('d'))).prompt, 'd');
});

test('a crash of the host rejects the open tasks, and the next task gets a new host', async (context) => {
  const executor = startExecutor(context);
  const before = await executor.run(generate('a'));
  const open = ['crash', 'behind it'].map((prompt) => executor.run(generate(prompt)));
  for (const { status, reason } of (await Promise.allSettled(open)) as PromiseRejectedResult[]) {
    assert.equal(status, 'rejected');
    assert.equal(reason.code, 'host-died');
    assert.equal(reason.details.signal, 'SIGSEGV');
  }
  assert.notEqual((await executor.run(generate('b'))).text, before.text);
});

test('close ends a host that hangs, rejects its task, and takes no more', async (context) => {
  const executor = startExecutor(context, { limits: { closeMs: 50 } });
  const hanging = assert.rejects(executor.run(generate('hang')), { code: 'host-died' });
  await executor.close();
  await hanging;
  await assert.rejects(executor.run(generate('a')), { code: 'host-unavailable' });
  assert.deepEqual(executor.hostStats().processIds, []);
});
