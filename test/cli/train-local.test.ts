import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openModel } from '../../src/checkpoints/model-folder.js';
import { EXIT } from '../../src/cli/exit-codes.js';
import { scoreText } from '../../src/evaluation/score-text.js';
import { testKernels, useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/service.js';
import { runGatelm } from './run-gatelm.js';

useBackend();

const TEXT = 'the cat sat on the mat and the dog sat on the rug\n'.repeat(100);
const EPOCHS = 60;
const CONFIG = JSON.stringify({
  tokenizer: { type: 'word' },
  model: { embeddingSize: 8, hiddenSizes: [8] },
  training: { epochs: EPOCHS, batchSize: 8, bpttLength: 10, sampleLength: 0 },
});

/** Runs `train --local` on a text of its own. */
function setUp(context: TestContext) {
  const folder = temporaryFolder(context);
  const file = join(folder, 'cats.txt');
  writeFileSync(file, TEXT);
  const env = { GATELM_DATA_DIR: join(folder, 'data') };
  const out = join(folder, 'model');
  const args = ['train', '--local', '--file', file, '--config', CONFIG, '--out', out, '--name', 'the cats'];
  return {
    out,
    dataDir: env.GATELM_DATA_DIR,
    train: (extra: readonly string[], onStart?: (child: ChildProcess) => void) =>
      runGatelm('http://127.0.0.1:1', [...args, ...extra], { env, ...(onStart && { onStart }) }),
  };
}

const typesOf = (lines: string) =>
  lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; seq: number; data: Record<string, unknown> });

test('train --local leaves a model folder that the library opens, and no server is asked', async (context) => {
  const { out, dataDir, train } = setUp(context);
  const { code, stdout, stderr } = await train([]);
  assert.equal(code, EXIT.done, stderr);
  assert.match(stdout, new RegExp(`^ +${EPOCHS} +\\d`, 'm'), 'a row for the last epoch');
  assert.match(stdout, /^done in 0:\d\d: valid perplexity \d/m);
  assert.ok(stdout.includes(`gatelm import ${out}`));
  assert.deepEqual(readdirSync(out).sort(), [
    'config.json',
    'events.jsonl',
    'model.safetensors',
    'tokenizer.json',
    'training.json',
    'weights.safetensors',
  ]);
  assert.ok(!existsSync(join(dataDir, 'local', 'the-cats')), 'what it worked with is gone');
  assert.equal(JSON.parse(readFileSync(join(out, 'training.json'), 'utf8')).training.epochs, EPOCHS);
  const { model, tokenizer } = openModel(out, testKernels());
  const { perplexity } = scoreText(model, tokenizer, TEXT.slice(0, 500));
  model.dispose();
  assert.ok(perplexity! < 5, `perplexity ${perplexity} on the text that it has learned`);

  const again = await train([]);
  assert.equal(again.code, EXIT.error);
  assert.match(again.stderr, /--out: .* is not empty/);
});

test('Ctrl-C without a terminal pauses it, and the same command goes on to the end', async (context) => {
  const { out, train } = setUp(context);
  const paused = await train(['--json'], (child) => {
    child.stdout!.on('data', (chunk) => {
      if (String(chunk).includes('"type":"epoch"')) child.kill('SIGINT');
    });
  });
  assert.equal(paused.code, EXIT.trainingStopped, paused.stderr);
  assert.equal(typesOf(paused.stdout).at(-1)!.type, 'paused');
  assert.ok(!existsSync(out));

  const other = await train(['--seed', '2']);
  assert.equal(other.code, EXIT.error);
  assert.match(other.stderr, /unfinished training with a different config/);

  const { code, stdout, stderr } = await train(['--json']);
  assert.equal(code, EXIT.done, stderr);
  const events = typesOf(stdout);
  assert.equal(events.at(-1)!.type, 'succeeded');
  const { resumedFrom } = events.find(({ type }) => type === 'started')!.data as {
    resumedFrom: { epoch: number };
  };
  assert.ok(resumedFrom.epoch >= 1);
  const record = typesOf(readFileSync(join(out, 'events.jsonl'), 'utf8'));
  assert.deepEqual(
    record.map(({ seq }) => seq),
    record.map((_, index) => index + 1),
    'both parts are in the record',
  );
  assert.equal(record.filter(({ type }) => type === 'started').length, 2);
});

test('train --local says what does not go with it', async (context) => {
  const { train } = setUp(context);
  const detached = await train(['--detach']);
  assert.match(detached.stderr, /--detach: requires a server/);
  const shown = await train(['--dry-run']);
  assert.match(shown.stdout, /^model +lstm, 1 layer of \d+ units/m);
  assert.match(shown.stdout, /^Nothing was stored or trained/m);
  const plan = await train(['--dry-run', '--json']);
  assert.equal(JSON.parse(plan.stdout).config.training.epochs, EPOCHS);
});
