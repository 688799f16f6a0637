import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cleanUp } from '../support/clean-up.js';
import { REPOSITORY } from '../support/gatelm-server.js';
import { temporaryFolder } from '../support/service.js';

const GATELM = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
/** The valid perplexity in the first row of the table. */
const FIRST_EPOCH = /^epoch {2}train perplexity.*\n +1 +[\d.]+ +([\d.]+) /m;
/** Machines and kernels round differently; what is learned hardly differs. */
const TOLERANCE = 0.1;
/** Above the 15 s that a training has for its last checkpoint, below the time for which a client reconnects. */
const STOP_LIMIT_MS = 30_000;
const TINY = {
  tokenizer: { type: 'word', vocabularySize: 500 },
  model: { embeddingSize: 16, hiddenSizes: [16] },
  training: { epochs: 2, batchSize: 50, bpttLength: 20, sampleLength: 0 },
};

async function quickstart(
  context: TestContext,
  config: object,
  onStart: (child: ChildProcess) => void = () => {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [GATELM, 'quickstart', '--config', JSON.stringify(config)], {
    env: { ...process.env, GATELM_DATA_DIR: join(temporaryFolder(context), 'data') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanUp(context, () => child.kill('SIGKILL'));
  onStart(child);
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
  cleanUp(context, () => server.close());
}

test('without a terminal, and with port 8080 taken, it trains, writes, says how to go on, and leaves no process', async (context) => {
  await occupyUsualPort(context);
  const { code, stdout, stderr } = await quickstart(context, { preset: 'starter', training: { epochs: 1 } });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /listens on http:\/\/127\.0\.0\.1:(?!8080)\d+ /);
  const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  const [size] = /^[\d,]+ parameters, .*$/m.exec(stdout) ?? [];
  assert.ok(size && readme.includes(size), `README.md should say: ${size}`);
  const [seen, promised] = [stdout, readme].map((text) => Number(FIRST_EPOCH.exec(text)?.[1]));
  const isSlow = stdout.includes('WebAssembly'); // it stops by time, within the first epoch
  assert.ok(
    isSlow || Math.abs(seen! / promised! - 1) < TOLERANCE,
    `valid perplexity ${seen}; README.md says ${promised}`,
  );
  assert.match(stdout, /done in \d+:\d\d; test perplexity \d/);
  assert.match(stdout, /GET \/generate\?experiment=\S+\n\nThe.+\S/s);
  assert.match(stdout, /curl 'http:\/\/127\.0\.0\.1:8080\/generate\?experiment=/);
  assert.ok(!stdout.includes('\u001b'), 'no terminal codes');
  assert.equal(stderr, '');
});

test('a signal stops it and its server, and says what becomes of the training', async (context) => {
  let stoppedAt = 0;
  const { code, stderr } = await quickstart(context, { training: { epochs: 100_000 } }, (child) => {
    child.stdout!.on('data', (output) => {
      if (!String(output).includes('training tokens')) return;
      stoppedAt = Date.now();
      child.kill('SIGINT');
    });
  });
  assert.ok(
    Date.now() - stoppedAt < STOP_LIMIT_MS,
    'it does not try to reach the server that it has stopped',
  );
  assert.equal(code, 1);
  assert.match(stderr, /quickstart: stopped; npm start continues the training/);
});

test('fails with the server’s own words when the experiment is refused', async (context) => {
  const { code, stderr } = await quickstart(context, { preset: 'startr' });
  assert.equal(code, 1);
  assert.match(stderr, /quickstart: \/experiments: .*starter/s);
});

test('fails with the reason when the training fails', async (context) => {
  const { code, stderr } = await quickstart(context, {
    ...TINY,
    optimizer: { type: 'sgd', learningRate: 1000, weightDecay: 1 }, // each step makes the weights 999 times as large
    training: { ...TINY.training, maxGradNorm: null },
  });
  assert.equal(code, 1);
  assert.match(stderr, /quickstart: The training failed: .*learningRate/);
});

test('--help describes the options, and an unknown one is named without a stack trace', () => {
  const help = spawnSync(process.execPath, [GATELM, 'quickstart', '--help'], { encoding: 'utf8' });
  assert.equal(help.status, 0, help.stderr);
  assert.match(help.stdout, /--keep[\s\S]*--config <json>/);
  const unknown = spawnSync(process.execPath, [GATELM, 'quickstart', '--fast'], { encoding: 'utf8' });
  assert.equal(unknown.status, 2);
  assert.equal(unknown.stderr, "error: unknown option '--fast'\n");
});
