import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { CorpusInfo, TokenizerConfig } from '../../src/contracts/corpus.js';
import { assertLongEnough } from '../../src/corpora/corpus.js';
import { describeCorpus, listCorpora, previewCorpus } from '../../src/corpora/corpus-catalogue.js';
import { KNOWN_CORPORA } from '../../src/corpora/known-corpora.js';
import { readKnownCorpus } from '../../src/corpora/known-corpus-text.js';
import { loadCorpus, readCorpusText } from '../../src/corpora/load-corpus.js';
import { cleanUp } from '../support/clean-up.js';

const mirror = [process.env.GATELM_CORPORA_MIRROR, join(import.meta.dirname, '../../../../shared/data')].find(
  (folder) => folder !== undefined && existsSync(join(folder, 'ptb/ptb.train.txt')),
);
const skip = mirror === undefined ? 'no mirror folder (GATELM_CORPORA_MIRROR)' : false;

const WORD = TokenizerConfig.parse({ type: 'word' });

function temporaryFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatelm-corpus-'));
  cleanUp(test, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('the handbook', () => {
  it('is there without a download, cut by file, the same each time', async (test) => {
    const source = { dataDirectory: temporaryFolder(test), mirror: null };
    const text = await readCorpusText('handbook', source);
    assert.match(text.source, /fastify 5\.\d+\.\d+ \(\d+ files\)/);
    assert.ok(text.splits.train.length > 400_000);
    assert.ok(text.splits.valid.length > 30_000 && text.splits.test.length > 30_000);
    assert.equal((await readCorpusText('handbook', source)).digest, text.digest);

    const corpus = await loadCorpus({ ...source, corpus: 'handbook', tokenizer: WORD });
    assertLongEnough(corpus, { batchSize: 20, bpttLength: 35 });
    assert.equal(corpus.bytes.train, Buffer.byteLength(text.splits.train));
    assert.ok(corpus.statistics.train.unknownRate > 0.01, '<unk> is in the train split, so it is learned');
    assert.ok(corpus.statistics.valid.unknownRate < 0.1);
  });

  it('keeps the last corpus in memory, and reads with a tokenizer that exists', async (test) => {
    const options = { dataDirectory: temporaryFolder(test), corpus: 'handbook', tokenizer: WORD };
    const corpus = await loadCorpus(options);
    assert.equal(await loadCorpus(options), corpus);
    const again = await loadCorpus({ ...options, tokenizer: corpus.tokenizer });
    assert.notEqual(again, corpus);
    assert.deepEqual(again.splits, corpus.splits);
  });
});

describe('a corpus that is too short', () => {
  const splits = (train: number, valid: number) => ({
    splits: { train: new Int32Array(train), valid: new Int32Array(valid), test: new Int32Array(2) },
  });

  it('is refused with the least length', () => {
    const shape = { batchSize: 20, bpttLength: 35 };
    assert.doesNotThrow(() => assertLongEnough(splits(701, 2), shape));
    assert.throws(() => assertLongEnough(splits(700, 2), shape), {
      code: 'corpus-too-short',
      message: 'The train split has 700 tokens; at least 701 are needed (batchSize 20 × bpttLength 35 + 1)',
    });
    assert.throws(() => assertLongEnough(splits(701, 1), shape), {
      message: /valid split has 1 tokens; at least 2/,
    });
  });
});

describe('a corpus that is not there', () => {
  it('is an error that names those that are', async (test) => {
    const source = { dataDirectory: temporaryFolder(test) };
    for (const corpus of ['ptbb', '../ptb', '__proto__']) {
      await assert.rejects(readCorpusText(corpus, source), {
        code: 'corpus-not-found',
        message: /known: handbook, ptb, wikitext-2, tiny-shakespeare/,
      });
      await assert.rejects(describeCorpus(corpus, source), { code: 'corpus-not-found' });
    }
  });
});

describe('known corpora', { skip }, () => {
  it('are counted as the literature counts them, and as the registry says', async (test) => {
    const source = { dataDirectory: temporaryFolder(test), mirror: mirror! };
    const expected: Record<string, number[]> = {
      ptb: [10_000, 929_589, 73_760, 82_430],
      'wikitext-2': [33_278, 2_088_628, 217_646, 245_569],
    };
    for (const known of KNOWN_CORPORA) {
      const corpus = await loadCorpus({ ...source, corpus: known.name, tokenizer: WORD });
      const { train, valid, test: last } = corpus.splits;
      const counts = [corpus.vocabulary.size, train.length, valid.length, last.length];
      if (known.name in expected) assert.deepEqual(counts, expected[known.name], known.name);
      assert.deepEqual(corpus.statistics, known.statistics, known.name);
      assert.equal(corpus.vocabulary.size, known.types);
      assert.equal(corpus.digest, known.digest);
    }
  });

  it('ptb has the ids that the book’s load_data gives', async (test) => {
    const source = { dataDirectory: temporaryFolder(test), mirror: mirror! };
    const { splits, vocabulary } = await loadCorpus({ ...source, corpus: 'ptb', tokenizer: WORD });
    assert.deepEqual(
      [...splits.train.subarray(0, 30)],
      Array.from({ length: 30 }, (_, i) => i),
    );
    assert.deepEqual(vocabulary.tokens.slice(0, 3), ['aer', 'banknote', 'berlitz']);
    assert.equal(vocabulary.ids.get('<eos>'), 24);
    assert.equal(vocabulary.ids.get('<unk>'), 26);
  });

  it('tiny-shakespeare is cut 90/5/5 by characters, and the characters give it back', async (test) => {
    const source = { dataDirectory: temporaryFolder(test), mirror: mirror! };
    const tokenizer = TokenizerConfig.parse({ type: 'character' });
    const corpus = await loadCorpus({ ...source, corpus: 'tiny-shakespeare', tokenizer });
    const lengths = [corpus.splits.train, corpus.splits.valid, corpus.splits.test].map((ids) => ids.length);
    assert.deepEqual(lengths, [1_003_854, 55_770, 55_770]);
    assert.equal(corpus.statistics.train.types, 65);
    const text = Object.values(corpus.splits).map((ids) => corpus.tokenizer.decode(ids));
    assert.equal(text.join(''), await readFile(join(mirror!, 'tinyshakespeare/input.txt'), 'utf8'));
  });

  it('come from a mirror’s address too, into the data folder, and are used from there', async (test) => {
    const requests: string[] = [];
    const server = createServer(async (request, response) => {
      requests.push(request.url ?? '');
      response.end(await readFile(join(mirror!, decodeURI(request.url ?? '').replace('/corpora', ''))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUp(test, () => server.close().closeAllConnections());
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/corpora/`;
    const dataDirectory = temporaryFolder(test);
    const files = new Set<string>();
    const onProgress = ({ file }: { file: string }) => files.add(file);

    const [text] = await Promise.all(
      [0, 1].map(() => readCorpusText('ptb', { dataDirectory, mirror: address, onProgress })),
    );
    assert.equal(text?.splits.valid.length, 399_782);
    assert.deepEqual(
      requests.sort(),
      ['test', 'train', 'valid'].map((split) => `/corpora/ptb/ptb.${split}.txt`),
    );
    assert.equal(files.size, 3);
    assert.ok(existsSync(join(dataDirectory, 'downloads/ptb/ptb.train.txt')));

    await readCorpusText('ptb', { dataDirectory, mirror: address });
    assert.equal(requests.length, 3, 'nothing is fetched twice');
    // What was downloaded is laid out as a mirror.
    assert.ok(
      await readCorpusText('ptb', {
        dataDirectory: temporaryFolder(test),
        mirror: join(dataDirectory, 'downloads'),
      }),
    );
  });

  it('are not taken from a damaged copy, and the error says what was tried', async (test) => {
    const damaged = join(temporaryFolder(test), 'mirror');
    mkdirSync(join(damaged, 'tinyshakespeare'), { recursive: true });
    const path = join(damaged, 'tinyshakespeare/input.txt');
    cpSync(join(mirror!, 'tinyshakespeare/input.txt'), path);
    truncateSync(path, 1000);
    const known = KNOWN_CORPORA.find(({ name }) => name === 'tiny-shakespeare')!;
    const { whole } = known.files as Extract<typeof known.files, { whole: unknown }>;
    const unreachable = {
      ...known,
      files: { whole: { ...whole, addresses: ['http://127.0.0.1:9/input.txt'] } },
    };
    const source = { dataDirectory: temporaryFolder(test), mirror: damaged };
    await assert.rejects(readKnownCorpus(unreachable, source), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'corpus-unavailable');
      assert.match(error.message, /input\.txt: SHA-256 is .*expected 86c4e6aa/);
      assert.match(error.message, /http:\/\/127\.0\.0\.1:9\/input\.txt: /);
      return true;
    });
  });

  it('are listed and shown', async (test) => {
    const source = { dataDirectory: temporaryFolder(test), mirror: mirror! };
    const corpora = await listCorpora(source);
    assert.deepEqual(
      corpora.map(({ id, available, types }) => [id, available, types]),
      [
        ['handbook', true, corpora[0]?.types],
        ['ptb', true, 10_000],
        ['wikitext-2', true, 33_278],
        ['tiny-shakespeare', true, 7060],
      ],
    );
    for (const info of corpora) CorpusInfo.parse(info);
    const preview = await previewCorpus('ptb', source, { split: 'valid', characters: 20 });
    assert.deepEqual(preview, { id: 'ptb', split: 'valid', text: ' consumers may want ', truncated: true });
  });
});

describe('the catalogue without a mirror', () => {
  it('says which corpora are not downloaded yet, and downloads nothing', async (test) => {
    const source = { dataDirectory: temporaryFolder(test), mirror: null };
    const corpora = await listCorpora(source);
    assert.deepEqual(
      corpora.map(({ available }) => available),
      [true, false, false, false],
    );
    const options = { split: 'train', characters: 10 } as const;
    await assert.rejects(previewCorpus('ptb', source, options), { code: 'corpus-unavailable' });
    assert.equal((await previewCorpus('handbook', source, options)).text.length, 10);
  });
});
