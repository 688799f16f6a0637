import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { type CorpusUploadInput, TokenizerConfig } from '../../src/contracts/corpus.js';
import { describeCorpus } from '../../src/corpora/corpus-catalogue.js';
import { DuplicateLines } from '../../src/corpora/duplicate-lines.js';
import { loadCorpus, readCorpusText } from '../../src/corpora/load-corpus.js';
import { StagedUpload } from '../../src/corpora/staged-upload.js';
import { storeCorpus } from '../../src/corpora/store-text.js';
import { UploadTextReader } from '../../src/corpora/upload-text.js';
import { zipArchive } from '../setup/zip-archive.js';
import { cleanUp } from '../support/clean-up.js';

function dataDirectory(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatelm-formats-'));
  cleanUp(test, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function zipOf(files: Readonly<Record<string, string | Buffer>>): Buffer {
  return zipArchive(
    Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content), deflate: true })),
  );
}

type Files = readonly (readonly [name: string, content: string | Uint8Array])[];

/** Uploads files as the whole text, and reads all of the corpus. */
async function upload(test: TestContext, files: Files, fields: Partial<CorpusUploadInput> = {}) {
  const folder = dataDirectory(test);
  const staged = await StagedUpload.begin(folder, 1_000_000);
  try {
    for (const [name, content] of files) await staged.receive('whole', [Buffer.from(content)], name);
    const manifest = await staged.publish({ name: 'mine', splitBy: 'tail', ...fields });
    const { splits } = await readCorpusText('mine', { dataDirectory: folder });
    return { manifest, text: splits.train + splits.valid + splits.test, splits, folder };
  } finally {
    await staged.discard();
    const left = readdirSync(join(folder, 'corpora')).filter((name) => name.startsWith('.'));
    assert.deepEqual(left, []);
  }
}

const rows = Array.from({ length: 60 }, (_, i) => ({
  id: i,
  body: { text: `Row ${i}: “naïve”,\nwith a line 🦊` },
}));
const ROWS_TEXT = rows.map(({ body }) => `${body.text}\n`).join('');

describe('an upload', () => {
  it('of several files is their text, one after another, each ending a line', async (test) => {
    const a = 'first file\n'.repeat(50);
    const b = 'second file '.repeat(50);
    const { text, manifest } = await upload(test, [
      ['a.txt', a],
      ['b.md', b],
      ['c', 'third\n'.repeat(20)],
    ]);
    assert.equal(text, `${a}${b}\n${'third\n'.repeat(20)}`);
    assert.equal(manifest.documents, 3);
  });

  it('of JSON Lines is the text field of each line, as documents', async (test) => {
    const lines = rows.map((row) => JSON.stringify(row)).join('\n');
    const { text, manifest } = await upload(test, [['rows.jsonl', lines]], { textField: 'body.text' });
    assert.equal(text, ROWS_TEXT);
    assert.equal(manifest.documents, 60);
    const strings = rows.map(({ body }) => JSON.stringify(body.text)).join('\r\n');
    assert.equal((await upload(test, [['rows.ndjson', `${strings}\n\n`]])).text, ROWS_TEXT);
  });

  it('of a table is one column of it, or the file as it is', async (test) => {
    const quote = (value: string) => `"${value.replaceAll('"', '""')}"`;
    const csv = ['id,text,more', ...rows.map(({ id, body }) => `${id},${quote(body.text)},x`)].join('\n');
    const { text, manifest } = await upload(test, [['rows.CSV', csv]], { textColumn: 'text' });
    assert.equal(text, ROWS_TEXT);
    assert.equal(manifest.documents, 60);
    const tsv = csv
      .replaceAll('id,text,more', 'id\ttext\tmore')
      .replaceAll(/^(\d+),/gm, '$1\t')
      .replaceAll('",x', '"\tx');
    assert.equal((await upload(test, [['rows.tsv', tsv]], { textColumn: 'text' })).text, ROWS_TEXT);
    assert.equal((await upload(test, [['rows.csv', csv]])).text, csv, 'without a column');
  });

  it('of an archive is its text files in the order of their paths; what is no text is left out and named', async (test) => {
    const archive = zipOf({
      'notes/b.txt': 'second text\n'.repeat(30),
      'notes/a.txt': 'first text\n'.repeat(30),
      'notes/rows.jsonl': rows.map((row) => JSON.stringify(row)).join('\n'),
      'notes/picture.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0xff]),
      'notes/.hidden': 'not this\n',
      '__MACOSX/notes/a.txt': 'nor this\n',
    });
    const { text, manifest } = await upload(test, [['folder.zip', archive]], { textField: 'body.text' });
    assert.equal(text, 'first text\n'.repeat(30) + 'second text\n'.repeat(30) + ROWS_TEXT);
    assert.deepEqual(manifest.skippedFiles, ['notes/picture.png']);
    assert.equal(manifest.documents, 62);
  });

  it('of one file per split may be of these kinds too', async (test) => {
    const folder = dataDirectory(test);
    const staged = await StagedUpload.begin(folder, 1_000_000);
    const lines = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'));
    for (const split of ['train', 'valid', 'test'] as const)
      await staged.receive(split, [lines], 'rows.jsonl');
    const manifest = await staged.publish({ name: 'given', textField: 'body.text' });
    assert.equal(manifest.splitBy, 'files');
    assert.deepEqual(manifest.duplicates, { valid: 0, test: 0 }, 'its lines are short');
  });

  const refused: [string, Files, Partial<CorpusUploadInput>, RegExp][] = [
    [
      'a line that is not JSON',
      [['a.jsonl', '{"text":"x"}\nnot json\n']],
      {},
      /bad-request.*a.jsonl, line 2 is not JSON/,
    ],
    [
      'a line without the field',
      [['a.jsonl', '{"text":"x"}\n{"body":"x"}\n']],
      {},
      /bad-request.*line 2 has no text in the field "text"; textField names it. Fields there: body/,
    ],
    [
      'a lone surrogate in JSON',
      [['a.jsonl', '{"text":"\\ud800"}\n']],
      {},
      /bad-request.*line 1 has a lone surrogate/,
    ],
    [
      'a table without the column',
      [['a.csv', 'id,body\n1,x\n']],
      { textColumn: 'text' },
      /bad-request.*no column "text"; the first line has: id, body/,
    ],
    [
      'a table with an open quote',
      [['a.csv', 'text\n"x\n']],
      { textColumn: 'text' },
      /bad-request.*a.csv is not a table/,
    ],
    [
      'a .zip that is none',
      [['a.zip', 'PK but no archive']],
      {},
      /bad-request.*a.zip is not a .zip that can be read/,
    ],
    [
      'an archive that grows beyond the limit',
      [['a.zip', zipOf({ 'a.txt': 'a'.repeat(3_000_000) })]],
      {},
      /body-too-large/,
    ],
    ['an archive without text', [['a.zip', zipOf({ 'a.png': Buffer.alloc(100) })]], {}, /corpus-too-short/],
    [
      'a binary file among texts',
      [
        ['a.txt', 'text\n'],
        ['b.bin', Buffer.alloc(10)],
      ],
      {},
      /corpus-not-text.*NUL/,
    ],
  ];
  for (const [what, files, fields, expected] of refused) {
    it(`refuses ${what}, and leaves nothing behind`, async (test) => {
      await assert.rejects(upload(test, files, fields), (error: Error & { code?: string }) => {
        assert.match(`${error.code} ${error.message}`, expected);
        return true;
      });
    });
  }

  it('without white space is stored; a tokenizer that can use it learns it', async (test) => {
    let seed = 1;
    const draw = (count: number) => {
      seed = (seed * 16807) % 2147483647;
      return seed % count;
    };
    const drawn = (alphabet: string) =>
      Array.from({ length: 5000 }, () => [...alphabet][draw([...alphabet].length)]).join('');
    for (const text of [drawn('ACGT'), drawn('吾輩は猫である名前はまだ無い')]) {
      const { folder } = await upload(test, [['a.txt', text]]);
      const source = { corpus: 'mine', dataDirectory: folder };
      for (const type of ['character', 'byte-pair']) {
        const corpus = await loadCorpus({ ...source, tokenizer: TokenizerConfig.parse({ type }) });
        assert.ok(corpus.splits.train.length > 1000 && corpus.splits.valid.length > 10, type);
      }
    }
  });

  it('of an earlier version keeps its words of prose', async (test) => {
    const folder = dataDirectory(test);
    const stored = await storeCorpus(
      folder,
      { name: 'old', splitBy: 'tail' },
      { whole: 'The cat, the mat.\n'.repeat(100) },
    );
    const { files, statistics, types, digest, createdAt, id } = stored;
    const manifest = {
      version: 1,
      id,
      name: 'old',
      createdAt,
      splitBy: 'fractions',
      files,
      statistics,
      types,
      digest,
    };
    writeFileSync(join(folder, 'corpora', id, 'corpus.json'), JSON.stringify(manifest));
    const info = await describeCorpus('old', { dataDirectory: folder });
    assert.deepEqual([info.defaultPreTokenizer, info.splitBy, info.duplicates], ['prose', 'tail', null]);
    const text = await readCorpusText('old', { dataDirectory: folder });
    assert.equal(text.defaultPreTokenizer, 'prose');
  });

  it('may have a name in any script, found however it is written', async (test) => {
    const folder = dataDirectory(test);
    const whole = 'some text\n'.repeat(100);
    for (const name of ['日本語 コーパス', 'naïve', '📚 books', 'Ελληνικά', 'मेरा पाठ', 'a b']) {
      const { id } = await storeCorpus(folder, { name: name.normalize('NFD') }, { whole });
      for (const way of [name, name.normalize('NFD'), name.normalize('NFC')])
        assert.equal((await describeCorpus(way, { dataDirectory: folder })).id, id);
      await assert.rejects(storeCorpus(folder, { name }, { whole }), { code: 'corpus-exists' });
    }
    for (const name of [
      ' ',
      'a/b',
      'a\\b',
      'x\u0000',
      'a\u2028b',
      '.x',
      '-x',
      'c:\\d',
      'x'.repeat(101),
      'a\u0007',
    ])
      await assert.rejects(
        storeCorpus(folder, { name }, { whole }),
        { name: 'ZodError' },
        JSON.stringify(name),
      );
  });

  it('tells how much of valid and test stands in train too', async (test) => {
    const folder = dataDirectory(test);
    const line = (i: number) => `This is line ${i}, which is long enough to be looked at.\n`;
    const lines = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => line(from + i)).join('');
    const { duplicates } = await storeCorpus(
      folder,
      { name: 'copies' },
      { train: lines(0, 100), valid: lines(90, 110), test: lines(200, 210) + '}\n'.repeat(10) },
    );
    assert.ok(duplicates && Math.abs(duplicates.valid - 0.5) < 0.02, JSON.stringify(duplicates));
    assert.equal(duplicates.test, 0);
  });
});

describe('the text of an upload', () => {
  const read = (bytes: Uint8Array, size: number) => {
    const reader = new UploadTextReader();
    let text = '';
    for (let at = 0; at < bytes.length; at += size) text += reader.push(bytes.subarray(at, at + size));
    return text + reader.end();
  };
  const text = fc
    .array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\r', '\n', '\r\n', '🦊', 'é')))
    .map((parts) =>
      parts
        .join('')
        .replaceAll('\0', '')
        .replace(/^\ufeff+/, ''),
    );

  it('is UTF-8 or UTF-16 with a mark, in chunks of any size, with a lone CR as a line end', () => {
    fc.assert(
      fc.property(
        text,
        fc.constantFrom('utf8', 'utf8 mark', 'utf16le', 'utf16be'),
        fc.integer({ min: 1, max: 7 }),
        (value, encoding, size) => {
          const marked = encoding === 'utf8' ? value : `\ufeff${value}`;
          const bytes = Buffer.from(marked, encoding.startsWith('utf8') ? 'utf8' : 'utf16le');
          if (encoding === 'utf16be') bytes.swap16();
          assert.equal(read(bytes, size), value.replace(/\r(?!\n)/g, '\n'));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is refused where it is neither, with the offset', () => {
    const refused: [Uint8Array, RegExp][] = [
      [Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x3d, 0xd8, 0x61, 0x00]), /lone surrogate of UTF-16 at byte 4/],
      [Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x62]), /half a character of UTF-16 at byte 4/],
      [Buffer.from([0xff, 0xfe, 0x00, 0x00, 0x61, 0x00, 0x00, 0x00]), /NUL character.* at byte 2/],
      [Buffer.from('text', 'utf16le'), /NUL byte.*UTF-16 without a byte-order mark\), at byte 1/],
    ];
    for (const size of [1, 3, 100])
      for (const [bytes, message] of refused)
        assert.throws(() => read(bytes, size), { code: 'corpus-not-text', message });
  });
});

describe('duplicate lines', () => {
  it('are estimated from a part where train has very many', () => {
    const duplicates = new DuplicateLines(1000);
    const line = (i: number) => `line number ${i} is long enough to be counted as one`;
    for (let i = 0; i < 20_000; i++) duplicates.addTrain(line(i));
    const counter = duplicates.counter();
    for (let i = 15_000; i < 25_000; i++) counter.add(line(i));
    assert.ok(Math.abs(counter.share() - 0.5) < 0.1, `${counter.share()}`);
  });
});
