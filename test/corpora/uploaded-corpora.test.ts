import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { CorpusInfo, StoredCorpusManifest, TokenizerConfig } from '../../src/contracts/corpus.js';
import { describeCorpus, listCorpora, previewCorpus } from '../../src/corpora/corpus-catalogue.js';
import { loadCorpus } from '../../src/corpora/load-corpus.js';
import { StagedUpload } from '../../src/corpora/staged-upload.js';
import { storeCorpus } from '../../src/corpora/store-text.js';
import { decodeUtf8, TextReader } from '../../src/corpora/text-bytes.js';
import {
  deleteStoredCorpus,
  findStoredCorpus,
  listStoredCorpora,
  openCorpus,
} from '../../src/corpora/uploaded-corpora.js';
import { cleanUp } from '../support/clean-up.js';

const TEXT = Array.from({ length: 200 }, (_, i) => `Line ${i % 17} of a “text”, naïve 🦊.\n`).join('');

function dataDirectory(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatelm-stored-'));
  cleanUp(test, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Bytes in chunks of a size, as a socket gives them. */
async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

describe('storeCorpus', () => {
  it('cuts one text at line ends, stores it, and it can be loaded by id and by name', async (test) => {
    const folder = dataDirectory(test);
    const manifest = await storeCorpus(folder, { name: 'mine', testFraction: 0.1 }, { whole: TEXT });
    StoredCorpusManifest.parse(manifest);
    assert.deepEqual(readdirSync(join(folder, 'corpora')), [manifest.id]);
    assert.deepEqual(readdirSync(join(folder, 'corpora', manifest.id)).sort(), [
      'corpus.json',
      'test.txt',
      'train.txt',
      'valid.txt',
    ]);
    const { splits } = await openCorpus(folder, manifest);
    assert.equal(splits.train + splits.valid + splits.test, TEXT);
    assert.ok(splits.train.endsWith('\n') && splits.valid.endsWith('\n'));
    const part = splits.test.length / TEXT.length;
    assert.ok(part > 0.09 && part <= 0.1, `test is ${part} of the text`);

    const tokenizer = TokenizerConfig.parse({ type: 'word' });
    for (const corpus of ['mine', manifest.id]) {
      const loaded = await loadCorpus({ corpus, tokenizer, dataDirectory: folder });
      assert.equal(loaded.id, manifest.id);
      assert.deepEqual(loaded.statistics, manifest.statistics, 'counted in pieces = counted at once');
      assert.equal(loaded.vocabulary.size, manifest.types);
    }
  });

  it('takes one file per split, in chunks that cut characters', async (test) => {
    const folder = dataDirectory(test);
    const texts = { train: TEXT, valid: 'ein Tag\nmit 🦊🦊\n', test: '\ufeffnoch einer' };
    for (const size of [1, 2, 3, 7, 1000]) {
      const chunks = (text: string) => inChunks(Buffer.from(text), size);
      const manifest = await storeCorpus(
        folder,
        { name: `by-${size}` },
        { train: chunks(texts.train), valid: chunks(texts.valid), test: chunks(texts.test) },
      );
      assert.equal(manifest.splitBy, 'files');
      const { splits } = await openCorpus(folder, manifest);
      assert.deepEqual(splits, { ...texts, test: 'noch einer' }, 'as it was, without the byte-order mark');
    }
    const digests = (await listStoredCorpora(folder)).map(({ digest }) => digest);
    assert.equal(new Set(digests).size, 1);
  });

  it('cuts text without lines at spaces, and without spaces between characters', async (test) => {
    const folder = dataDirectory(test);
    const words = await storeCorpus(
      folder,
      { name: 'words', splitBy: 'tail' },
      { whole: 'ab cd '.repeat(500) },
    );
    assert.match((await openCorpus(folder, words)).splits.train, / $/);
    const fractions = { validFraction: 0.3, testFraction: 0.3 };
    const one = await storeCorpus(folder, { name: 'one', ...fractions }, { whole: '🦊!'.repeat(50) });
    const { splits } = await openCorpus(folder, one);
    assert.equal(splits.train + splits.valid + splits.test, '🦊!'.repeat(50));
  });

  const refused: [string, unknown, RegExp][] = [
    ['an empty text', '', /corpus-too-short.*train split has 0 tokens; at least 2/],
    ['a text of one token', 'word', /corpus-too-short.*at least 2 are needed in each split/],
    ['white space only', ' \n \n', /corpus-too-short.*at least 2/],
    [
      'invalid UTF-8',
      Buffer.from([0x61, 0xc3, 0xa9, 0xff, 0x62]),
      /corpus-not-text.*an invalid byte at byte 3/,
    ],
    ['UTF-8 that is cut off', Buffer.from([0x61, 0xf0, 0x9f]), /corpus-not-text.*an invalid byte at byte 1/],
    ['Latin-1', Buffer.from('caf\u00e9 noir', 'latin1'), /corpus-not-text.*at byte 3/],
    ['UTF-16', Buffer.from('text', 'utf16le'), /corpus-not-text.*NUL.*at byte 1/],
    ['a binary file', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]), /corpus-not-text.*binary.*at byte 4/],
    ['a lone surrogate', 'a\ud800', /corpus-not-text.*surrogate at byte 1/],
    ['a text that is too large', 'x '.repeat(600), /body-too-large.*1000/],
  ];
  for (const [what, whole, expected] of refused) {
    it(`refuses ${what}, and leaves nothing behind`, async (test) => {
      const folder = dataDirectory(test);
      const stored = storeCorpus(folder, { name: 'bad' }, { whole: whole as string }, { maxBytes: 1000 });
      await assert.rejects(stored, (error: Error & { code?: string }) => {
        assert.match(`${error.code} ${error.message}`, expected);
        return true;
      });
      assert.deepEqual(existsSync(join(folder, 'corpora')) ? readdirSync(join(folder, 'corpora')) : [], []);
    });
  }

  it('refuses a name that is taken, also by a known corpus, also at the same time', async (test) => {
    const folder = dataDirectory(test);
    const store = (name: string) => storeCorpus(folder, { name }, { whole: TEXT });
    const results = await Promise.allSettled([store('twin'), store('twin')]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const [{ id }] = (await listStoredCorpora(folder)) as [StoredCorpusManifest];
    for (const name of ['twin', id, 'ptb', 'handbook'])
      await assert.rejects(store(name), { code: 'corpus-exists' });
    assert.equal((await listStoredCorpora(folder)).length, 1);
  });

  it('refuses names that are paths', async (test) => {
    const folder = dataDirectory(test);
    for (const name of ['../x', 'a/b', '.hidden', '', '__proto__', 'a.', 'x'.repeat(101)]) {
      await assert.rejects(storeCorpus(folder, { name }, { whole: TEXT }), { name: 'ZodError' });
    }
    assert.equal((await listStoredCorpora(folder)).length, 0);
  });
});

describe('a staged upload', () => {
  it('asks for the files that are missing, and takes none twice', async (test) => {
    const folder = dataDirectory(test);
    const upload = await StagedUpload.begin(folder, 10_000);
    await upload.receive('train', [Buffer.from(TEXT.slice(0, 500))]);
    await assert.rejects(upload.receive('train', []), { code: 'bad-request', message: /twice/ });
    const fields = { name: 'half', validFraction: 0.1, testFraction: 0.1 };
    await assert.rejects(upload.publish(fields), { code: 'bad-request', message: /came: train/ });
    await upload.receive('whole', [Buffer.from('a b c')]);
    await assert.rejects(upload.publish(fields), { code: 'bad-request', message: /not both/ });
    await upload.discard();
    assert.deepEqual(readdirSync(join(folder, 'corpora')), []);
  });

  it('that was abandoned is removed after a day, and is never listed', async (test) => {
    const folder = dataDirectory(test);
    const abandoned = join(folder, 'corpora', '.upload-c-1');
    mkdirSync(abandoned, { recursive: true });
    writeFileSync(join(abandoned, 'whole.txt'), 'x');
    await storeCorpus(folder, { name: 'one' }, { whole: TEXT });
    assert.ok(existsSync(abandoned), 'a recent one may be under way');
    assert.equal((await listStoredCorpora(folder)).length, 1);
    utimesSync(abandoned, new Date(0), new Date(0));
    await storeCorpus(folder, { name: 'two' }, { whole: TEXT });
    assert.equal(existsSync(abandoned), false);
  });
});

describe('stored corpora', () => {
  it('are listed, described, shown and deleted', async (test) => {
    const folder = dataDirectory(test);
    const source = { dataDirectory: folder };
    const manifest = await storeCorpus(folder, { name: 'mine' }, { whole: TEXT });
    const info = CorpusInfo.parse((await listCorpora(source)).at(-1));
    assert.deepEqual(info, await describeCorpus('mine', source));
    assert.equal(info.bytes, Buffer.byteLength(TEXT));
    assert.equal(info.types, manifest.types);

    const options = { split: 'train', characters: 27 } as const;
    const preview = await previewCorpus(manifest.id, source, options);
    assert.equal(preview.text, TEXT.slice(0, 26), 'a character is not cut in half');
    assert.equal(preview.truncated, true);

    await deleteStoredCorpus(folder, 'mine');
    assert.deepEqual(readdirSync(join(folder, 'corpora')), []);
    assert.equal(await findStoredCorpus(folder, 'mine'), null);
    await assert.rejects(deleteStoredCorpus(folder, 'mine'), { code: 'corpus-not-found' });
    await assert.rejects(deleteStoredCorpus(folder, 'ptb'), { code: 'corpus-not-found' });
  });

  it('that were changed on the disk are not used', async (test) => {
    const folder = dataDirectory(test);
    const manifest = await storeCorpus(folder, { name: 'mine' }, { whole: TEXT });
    writeFileSync(join(folder, 'corpora', manifest.id, 'valid.txt'), 'another text');
    await assert.rejects(openCorpus(folder, manifest), { code: 'corpus-unavailable', message: /changed/ });
  });

  it('with a broken corpus.json are passed over', async (test) => {
    const folder = dataDirectory(test);
    const manifest = await storeCorpus(folder, { name: 'mine' }, { whole: TEXT });
    writeFileSync(join(folder, 'corpora', manifest.id, 'corpus.json'), '{"version": 2}');
    assert.deepEqual(await listStoredCorpora(folder), []);
  });
});

describe('TextReader', () => {
  it('gives the same text, or the same offset, in chunks of any size', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0') && !text.startsWith('\ufeff')),
        fc.boolean(),
        fc.integer({ min: 1, max: 5 }),
        (text, isBad, size) => {
          const bytes = Buffer.concat([Buffer.from(text), Buffer.from(isBad ? [0xe2, 0x82, 0x41] : [])]);
          const read = () => {
            const reader = new TextReader();
            let all = '';
            for (let at = 0; at < bytes.length; at += size) all += reader.push(bytes.subarray(at, at + size));
            return all + reader.end();
          };
          if (isBad)
            assert.throws(read, { details: { reason: 'an invalid byte', offset: Buffer.byteLength(text) } });
          else assert.equal(read(), text);
        },
      ),
    );
  });
});

describe('decodeUtf8', () => {
  it('says where the first byte is that is not UTF-8, wherever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && !text.startsWith('\ufeff')),
        fc.constantFrom(
          [0xff],
          [0xc0, 0x80],
          [0xed, 0xa0, 0x80],
          [0xf4, 0x90, 0x80, 0x80],
          [0xe2, 0x28],
          [0x80],
        ),
        (text, bad) => {
          const bytes = Buffer.concat([Buffer.from(text), Buffer.from(bad)]);
          assert.equal(decodeUtf8(Buffer.from(text)), text);
          assert.throws(() => decodeUtf8(bytes), {
            code: 'corpus-not-text',
            details: { reason: 'an invalid byte', offset: Buffer.byteLength(text) },
          });
        },
      ),
    );
  });
});
