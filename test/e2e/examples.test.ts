/** Runs every script of examples/curl as its header says. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { REPOSITORY, startGatelm } from '../support/gatelm-server.js';
import { temporaryFolder } from '../support/service.js';

const FOLDER = join(REPOSITORY, 'examples', 'curl');
const CONFIG = JSON.stringify({
  name: 'by curl',
  tokenizer: { type: 'word', vocabularySize: 500 },
  model: { embeddingSize: 16, hiddenSizes: [16] },
  training: { epochs: 1, batchSize: 50, bpttLength: 20, sampleLength: 0 },
});
const ENDLESS = CONFIG.replace('"epochs":1', '"epochs":100000');

test('the scripts of examples/curl do what they say', async (context) => {
  const folder = temporaryFolder(context);
  const server = await startGatelm(context, folder);
  const hasRun = new Set<string>();
  const run = async (script: string, ...args: string[]) => {
    hasRun.add(script);
    const child = spawn('sh', [join(FOLDER, script), ...args], {
      env: { ...process.env, GATELM: server.address },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    return { code, stdout, stderr };
  };
  const output = async (script: string, ...args: string[]) => {
    const { code, stdout, stderr } = await run(script, ...args);
    assert.equal(code, 0, `${script}: ${stdout}${stderr}`);
    return stdout.trim();
  };

  const id = await output('train.sh', CONFIG);
  const events = (await output('watch.sh', id)).split('\n').map((line) => JSON.parse(line));
  assert.equal(events.at(-1).type, 'succeeded');
  assert.match(await output('generate.sh'), /\S/);
  assert.match(
    await output('generate.sh', id, 'The server & its "routes"'),
    /^The server & its "routes"\s*\S/,
  );
  assert.equal(await output('list.sh', 'state=succeeded&sort=validPerplexity'), `${id}  succeeded  by curl`);
  assert.equal((await output('list.sh')).split('\n').length, 1);
  const valid = String(events.find(({ type }) => type === 'epoch').data.validPerplexity);
  assert.ok((await output('metrics.sh', id)).includes(valid));

  const endless = await output('train.sh', ENDLESS);
  await output('cancel.sh', endless);
  const cancelled = await output('watch.sh', endless);
  assert.match(cancelled.split('\n').at(-1)!, /"type":"cancelled"/);

  const file = join(folder, 'own.txt');
  writeFileSync(file, 'one two three four five\n'.repeat(2_000));
  assert.match(await output('upload-corpus.sh', 'own-text', file), /"name":"own-text"/);
  const way = await output('main-path.sh', CONFIG.replace('"name"', '"corpus":"own-text","name"'));
  assert.match(way, /"type":"epoch".*"type":"succeeded".*\n.*(one|two|three|four|five)/s);

  const refused = await run('train.sh', '{"preset":"startr"}');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /did you mean|starter/);

  for (const [script, argument] of [
    ['watch.sh', 'none'],
    ['cancel.sh', 'none'],
    ['metrics.sh', 'none'],
    ['generate.sh', 'none'],
    ['list.sh', 'sort=no-such-metric!'],
    ['upload-corpus.sh', '../x'],
  ] as const) {
    const { code, stdout, stderr } = await run(script, argument, file);
    assert.notEqual(code, 0, script);
    assert.match(stdout + stderr, /There is no experiment|must be|must begin/, script);
  }

  const notRun = readdirSync(FOLDER).filter((name) => !hasRun.has(name));
  assert.deepEqual(notRun, [], 'scripts that no test runs');
});
