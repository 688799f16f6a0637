import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../support/service.js';

const QUICKSTART = fileURLToPath(new URL('../../scripts/quickstart.js', import.meta.url));
const TINY = {
  tokenizer: { type: 'word', vocabularySize: 500 },
  model: { embeddingSize: 16, hiddenSizes: [16] },
  training: { epochs: 2, batchSize: 50, bpttLength: 20, sampleLength: 0 },
};

async function quickstart(
  context: TestContext,
  config: object,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [QUICKSTART, '--config', JSON.stringify(config)], {
    env: { ...process.env, GATELM_DATA_DIR: join(temporaryFolder(context), 'data') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  context.after(() => child.kill('SIGKILL'));
  // Ends when every process that inherited them has ended.
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

/** Takes the usual port, unless somebody has it already. */
async function occupyUsualPort(context: TestContext): Promise<void> {
  const server = createServer();
  server.listen(8080, '127.0.0.1');
  await Promise.race([once(server, 'listening'), once(server, 'error').catch(() => {})]).catch(() => {});
  context.after(() => server.close());
}

test('without a terminal, and with port 8080 taken, it trains, writes, says how to go on, and leaves no process', async (context) => {
  await occupyUsualPort(context);
  const { code, stdout, stderr } = await quickstart(context, TINY);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /listens on http:\/\/127\.0\.0\.1:(?!8080)\d+ /);
  assert.match(
    stdout,
    /epoch {2}train perplexity {2}valid perplexity {2}tokens\/s {2}seconds {2}left\n +1 .*\n(.*\n)* +2 /,
  );
  assert.match(stdout, /done in 0:\d\d; test perplexity \d/);
  assert.match(stdout, /GET \/generate\?experiment=\S+\n\nThe.+\S/s);
  assert.match(stdout, /curl 'http:\/\/127\.0\.0\.1:8080\/generate\?experiment=/);
  assert.ok(!stdout.includes('\u001b'), 'no terminal codes');
  assert.equal(stderr, '');
});

test('fails with the server’s own words when the experiment is refused', async (context) => {
  const { code, stderr } = await quickstart(context, { preset: 'startr' });
  assert.equal(code, 1);
  assert.match(stderr, /quickstart: \/experiments: .*starter/s);
});

test('fails with the reason when the training fails', async (context) => {
  const { code, stderr } = await quickstart(context, {
    ...TINY,
    training: { ...TINY.training, batchSize: 4096, bpttLength: 4096 },
  });
  assert.equal(code, 1);
  assert.match(stderr, /quickstart: The training failed: .*least/);
});
