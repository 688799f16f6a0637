import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.js';
import { type GatelmServer, startGatelm } from '../support/gatelm-server.js';
import { temporaryFolder } from '../support/service.js';
import { runGatelm } from './run-gatelm.js';

const TEXT = 'the cat sat on the mat and the dog sat on the rug\n'.repeat(400);
const TINY = JSON.stringify({
  tokenizer: { type: 'word' },
  model: { embeddingSize: 8, hiddenSizes: [8] },
  training: { epochs: 2, batchSize: 8, bpttLength: 10, sampleLength: 0 },
});

describe('the gatelm command against a server', () => {
  let server: GatelmServer;
  let folder: string;
  let id = '';
  const cleanups: (() => unknown)[] = [];
  const owner = { after: (cleanup: () => unknown) => cleanups.unshift(cleanup) } as unknown as TestContext;

  before(async () => {
    folder = temporaryFolder(owner);
    server = await startGatelm(owner, join(folder, 'data'));
    writeFileSync(join(folder, 'cats.txt'), TEXT);
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  const run = (...args: string[]) => runGatelm(server.address, args);
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args, '--json');
    assert.equal(code, EXIT.done, stderr);
    return JSON.parse(stdout);
  };

  test('train uploads a file, follows the training and says how to go on', async () => {
    const file = join(folder, 'cats.txt');
    const { code, stdout, stderr } = await run(
      'train',
      '--file',
      file,
      '--config',
      TINY,
      '--name',
      'cats',
      '--tag',
      'a',
    );
    assert.equal(code, EXIT.done, stderr);
    id = /^(\S+) \w+: cats$/m.exec(stdout)?.[1] ?? '';
    assert.match(stdout, /^ +2 +\d/m, 'a row for the second epoch');
    assert.match(stdout, /done in 0:\d\d: valid perplexity \d/);
    assert.ok(stdout.includes(`gatelm generate ${id}`));
    assert.ok(!stdout.includes('\u001b'), 'no terminal codes');
  });

  test('list, show and corpora print tables, and JSON for programs', async () => {
    const list = await run('list', '--state', 'succeeded');
    assert.match(list.stdout, new RegExp(`^${id} +cats +succeeded`, 'm'));
    assert.equal((await json('list')).items[0].id, id);
    const show = await run('show', id);
    assert.match(show.stdout, /^valid perplexity +[▁-█]+ {2}\d/m);
    assert.equal((await json('show', id)).name, 'cats');
    assert.match((await run('corpora')).stdout, /^cats +uploaded +20,000 +yes$/m);
    assert.match((await run('corpora', 'show', 'cats')).stdout, /the cat sat/);
  });

  test('the model writes, scores, ranks and is evaluated', async () => {
    const written = await json('generate', id, '--prompt', 'the cat', '--max-tokens', '5', '--seed', '1');
    const streamed = await run('generate', id, '--prompt', 'the cat', '--max-tokens', '5', '--seed', '1');
    assert.equal(streamed.stdout, `the cat${written.text}\n`);
    writeFileSync(join(folder, 'line.txt'), 'the cat sat on the mat\n');
    assert.match(
      (await run('score', join(folder, 'line.txt'), id)).stdout,
      /^perplexity [\d.]+, [\d.]+ bits per byte, \d+ tokens$/m,
    );
    assert.match((await run('inspect', join(folder, 'line.txt'), id)).stdout, /^"the" /m);
    const ranked = await json('rank', 'the cat sat on the', ' mat', ' cat', '--experiment', id);
    assert.equal(ranked.items.length, 2);
    assert.match((await run('evaluate', id, '--split', 'valid')).stdout, /^perplexity [\d.]+, /);
    const chat = await runGatelm(server.address, ['generate', id, '--chat', '--max-tokens', '3'], {
      input: 'the cat\n',
    });
    assert.equal(chat.code, EXIT.done, chat.stderr);
    assert.ok(chat.stdout.trim().length > 0);
  });

  test('export writes a bundle that is not overwritten', async () => {
    const file = join(folder, 'model.tar');
    assert.equal((await run('export', id, file)).stdout, `${file}\n`);
    assert.ok(readFileSync(file).includes('model.safetensors'));
    const again = await run('export', id, file);
    assert.equal(again.code, EXIT.error);
    assert.match(again.stderr, /^gatelm: \S+ already exists; delete it, or name another file\n$/);
  });

  test('an export is imported, unpacked or not, and serves the same text', async () => {
    const exported = join(folder, 'exported');
    mkdirSync(exported);
    execFileSync('tar', ['-xf', join(folder, 'model.tar'), '-C', exported]);
    const args = ['--prompt', 'the cat', '--max-tokens', '5', '--seed', '1'];
    const { text } = await json('generate', id, ...args);
    for (const [path, name] of [
      [exported, 'exported'],
      [join(folder, 'model.tar'), 'model'],
    ] as const) {
      const imported = await json('import', path);
      assert.equal(imported.name, name);
      assert.equal((await json('generate', imported.id, ...args)).text, text);
    }
    const noArchive = join(folder, 'none.tar');
    writeFileSync(noArchive, 'not an archive'.repeat(100));
    assert.match((await run('import', noArchive)).stderr, /none\.tar is not a tar archive of gatelm export/);
  });

  test('a whole run goes out as .zip and comes in again; curves as CSV, JSON Lines and for TensorBoard', async () => {
    const zip = join(folder, 'run.zip');
    assert.equal((await run('export', id, '--archive', zip)).stdout, `${zip}\n`);
    const taken = await json('import', zip);
    assert.equal(taken.state, 'succeeded');
    const args = ['--prompt', 'the cat', '--max-tokens', '5', '--seed', '1'];
    const [one, two] = [await json('generate', id, ...args), await json('generate', taken.id, ...args)];
    assert.equal(one.text, two.text);
    const curves = ['curves.csv', 'curves.jsonl'].map((name) => join(folder, name));
    for (const file of curves) assert.equal((await run('export', id, '--curves', file)).code, EXIT.done);
    assert.match(readFileSync(curves[0]!, 'utf8'), /^key,step,epoch,time,value\n.*\nvalidPerplexity,/s);
    assert.match(readFileSync(curves[1]!, 'utf8'), /^\{"key":"/);
    const { files } = await json('export', id, '--tensorboard', join(folder, 'board'));
    assert.ok(files[0].startsWith(join(folder, 'board', id, 'events.out.tfevents.')));
  });

  test('a run is trained again from its archive, to the same weights; if they differ it says what was different', async () => {
    const { digest, run: ranOn } = await json('show', id);
    assert.match(ranOn.provenance.corpus, /^[0-9a-f]{64}$/);
    const again = await run('train', '--again', join(folder, 'run.zip'));
    assert.equal(again.code, EXIT.done, again.stderr);
    assert.ok(again.stdout.endsWith(`the same weights as ${id}: SHA-256 ${digest}\n`), again.stdout);
    writeFileSync(join(folder, 'dogs.txt'), TEXT.replace('cat', 'dog'));
    const other = await run('train', '--again', id, '--file', join(folder, 'dogs.txt'), '--name', 'dogs');
    assert.equal(other.code, EXIT.error, other.stdout);
    assert.match(other.stdout, /^other weights than .*\n {2}corpus: [0-9a-f]{64} here, [0-9a-f]{64} there$/m);
    const refused = await run('train', '--again', id, '--seed', '2');
    assert.match(refused.stderr, /takes no --seed/);
    const none = await run('train', '--again', join(folder, 'none.zip'));
    assert.match(none.stderr, /none\.zip does not exist/);
  });

  test('a time budget is trained again by the steps that it was planned for, to the same weights', async () => {
    const config = JSON.stringify({
      ...JSON.parse(TINY),
      schedule: { type: 'one-cycle' },
      training: { ...JSON.parse(TINY).training, epochs: 100_000, timeBudget: 1 },
    });
    const trained = await run('train', '--corpus', 'cats', '--config', config, '--name', 'second');
    assert.equal(trained.code, EXIT.done, trained.stderr);
    const answer = await fetch(`${server.address}/experiments/second/events?types=succeeded`);
    const { items } = (await answer.json()) as { items: { data: Record<string, unknown> }[] };
    const { data } = items[0]!;
    const again = await run('train', '--again', 'second', '--name', 'second-again');
    assert.equal(again.code, EXIT.done, again.stdout + again.stderr);
    const { digest, config: repeated } = await json('show', 'second-again');
    assert.equal(digest, data.digest);
    const { timeBudget, maxSteps, firstPlannedSteps } = repeated.training;
    assert.deepEqual(
      [timeBudget, maxSteps, firstPlannedSteps],
      [null, data.plannedSteps, data.firstPlannedSteps],
    );
  });

  test('an event a line with --json, and pause, resume and cancel by their names', async () => {
    const long = JSON.stringify({
      ...JSON.parse(TINY),
      training: { ...JSON.parse(TINY).training, epochs: 100_000 },
    });
    const begun = await run('train', '--corpus', 'cats', '--config', long, '--detach');
    const other = begun.stdout.trim();
    const watched = runGatelm(server.address, ['watch', other, '--json']);
    assert.match((await run('pause', other)).stdout, /is (pausing|paused)/);
    const { code, stdout } = await watched;
    assert.equal(code, EXIT.trainingStopped);
    assert.equal(JSON.parse(stdout.trim().split('\n').at(-1)!).type, 'paused');
    assert.match((await run('resume', other)).stdout, /is queued|is preparing|is running/);
    const resumed = runGatelm(server.address, ['watch', other, '--json']);
    const cancelled = await run('cancel', 'no-such-one', other);
    assert.equal(cancelled.code, EXIT.error);
    assert.match(cancelled.stdout, /is cancel/, 'the others too where one is refused');
    assert.match(cancelled.stderr, /no-such-one/);
    const types = (await resumed).stdout.trim().split('\n');
    assert.equal(JSON.parse(types.at(-1)!).type, 'cancelled', 'the pause that is over does not end it');
  });

  test('a sweep is planned, begun, shown, and its table printed', async () => {
    const file = join(folder, 'sweep.json');
    const space = { 'optimizer.learningRate': { type: 'choice', values: [0.1, 1] } };
    const limits = { experiments: 2 };
    writeFileSync(
      file,
      JSON.stringify({ name: 'rates', corpus: 'cats', base: JSON.parse(TINY), space, limits }),
    );
    assert.match((await run('sweep', 'start', file, '--dry-run')).stdout, /^2 trials, about 4 epochs, time /);
    assert.match((await run('sweep', 'start', file)).stdout, /^\w+ running: rates\n$/);
    let sweep = await json('sweep', 'show', 'rates');
    while (sweep.state === 'running') sweep = await json('sweep', 'show', 'rates');
    assert.equal(sweep.state, 'finished');
    assert.match((await run('sweep', 'show', 'rates')).stdout, /trials +2 of 2: 2 finished/);
    assert.match((await run('sweep', 'list')).stdout, /rates +finished/);
    const { stdout } = await run('sweep', 'trials', 'rates', '--csv');
    assert.match(stdout, /^trial,state,epochs,value,bestEpoch,optimizer.learningRate,experiments\n/);
    assert.equal((await json('sweep', 'trials', 'rates')).items.length, 2);
    assert.equal((await json('sweep', 'extend', 'rates', '--experiments', '1')).limits.experiments, 3);
    const refused = await run('sweep', 'show', 'nothing');
    assert.equal(refused.code, EXIT.error);
  });

  test('errors say what to do, with exit codes of their own', async () => {
    const absent = await run('show', 'nothing');
    assert.equal(absent.code, EXIT.error);
    assert.match(absent.stderr, /^gatelm: .*nothing/);
    const wrong = await run('train', '--preset', 'startr');
    assert.equal(wrong.code, EXIT.error);
    assert.match(wrong.stderr, /starter/);
    const noJson = await run('train', '--config', '{');
    assert.match(noJson.stderr, /--config is not JSON/);
    assert.equal((await run('lst')).code, EXIT.usage);
    assert.equal((await run('list', '--colour')).code, EXIT.usage);
    const noNumber = await run('train', '--epochs', 'two');
    assert.equal(noNumber.code, EXIT.usage);
    assert.match(noNumber.stderr, /'--epochs <number>' argument 'two' is invalid. Expected a number/);
    const twice = await run('evaluate', id, '--split', 'all');
    assert.equal(twice.stderr.match(/expected one of "train"/g)?.length, 1, 'each field is named once');
    for (const args of [
      ['train', '--file', 'absent.txt'],
      ['import', 'absent.safetensors'],
      ['sweep', 'start', 'absent.json'],
    ]) {
      const { code, stderr } = await run(...args);
      assert.equal(code, EXIT.error);
      assert.match(stderr, /^gatelm: absent\.\w+ cannot be read: [^\n]+\n$/);
    }
    const nobodyWrites = await run('generate', 'nothing', '--prompt', 'The');
    assert.deepEqual([nobodyWrites.code, nobodyWrites.stdout], [EXIT.error, '']);
    const noAddress = await runGatelm('127.0.0.1:8080', ['list']);
    assert.match(noAddress.stderr, /GATELM_URL must be an address such as http:.*; got 127\.0\.0\.1:8080/);
    const nobody = await runGatelm('http://127.0.0.1:1', ['list']);
    assert.equal(nobody.code, EXIT.unreachable);
    assert.match(nobody.stderr, /No gatelm server answers at http:\/\/127\.0\.0\.1:1/);
    assert.match(nobody.stderr, /Start one with npm start, or name another/);
  });
});

test('quickstart refuses options that it does not know in words, without a stack trace', async () => {
  const { code, stderr } = await runGatelm('', ['quickstart', '--fast']);
  assert.equal(code, EXIT.usage);
  assert.match(stderr, /unknown option '--fast'/);
  assert.ok(!stderr.includes('    at '));
  assert.match((await runGatelm('', ['quickstart', '--help'])).stdout, /--keep/);
});
