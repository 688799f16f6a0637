/** Texts and encodings of an upload, as editors, spreadsheets and archivers write them. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { type Ask, field, file, get, inTurn, type OddInput, type Part, postForm } from './ask.js';
import { TEXT } from './world.js';

let uploads = 0;
/** A corpus of its own name, and what is read back of its train split. */
const upload = (value: string | Uint8Array, fileName?: string, ...fields: Part[]): Ask =>
  postForm('/corpora', [field('name', `text ${uploads++}`), ...fields, file('file', value, fileName)]);
const readBack = (value: string | Uint8Array, fileName?: string, ...fields: Part[]): Ask => {
  const name = `text ${uploads}`;
  return inTurn(
    upload(value, fileName, ...fields),
    get(`/corpora/${encodeURIComponent(name)}/preview?characters=100000`),
  );
};
const has = (part: string) => (answer: { json(): { text: string } }) =>
  assert.ok(answer.json().text.includes(part), JSON.stringify(answer.json().text.slice(0, 200)));
const lacks = (part: string) => (answer: { json(): { text: string } }) =>
  assert.ok(!answer.json().text.includes(part), JSON.stringify(answer.json().text.slice(0, 200)));
const lines = (line: string) => `${line}\n`.repeat(300);
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
const many = (row: string) => Array<string>(60).fill(row).join('\n');

export const uploadTexts: readonly OddInput[] = [
  ['an empty file', upload(''), 400, /corpus-too-short/],
  ['a byte-order mark and nothing else', upload('\ufeff'), 400, /corpus-too-short/],
  ['half a byte-order mark', upload(Buffer.from([0xef, 0xbb])), 400, /corpus-not-text/],
  ['white space only', upload(' \n\t \n'.repeat(200)), 400, /corpus-too-short/],
  ['line ends only', upload('\n'.repeat(500)), 400, /corpus-too-short/],
  ['one character', upload('x'), 400, /corpus-too-short/],
  ['a NUL in the middle', upload(`${TEXT}\0${TEXT}`), 400, /NUL.*at byte/],
  [
    'a lone continuation byte',
    upload(Buffer.concat([Buffer.from(TEXT), Buffer.from([0x80])])),
    400,
    /at byte 2880/,
  ],
  [
    'surrogates in UTF-8, as old Java and MySQL write them',
    upload(Buffer.from('eda0bdedb880'.repeat(99), 'hex')),
    400,
    /corpus-not-text.*byte 0/,
  ],
  ['an overlong slash', upload(Buffer.from('c0af'.repeat(99), 'hex')), 400, /at byte 0/],
  ['a character beyond U+10FFFF', upload(Buffer.from('f4908080'.repeat(99), 'hex')), 400, /at byte 0/],
  [
    'a text cut within its last character',
    upload(Buffer.from(`${TEXT}é`).subarray(0, -1)),
    400,
    /at byte 2880/,
  ],
  ['Latin-1', upload(Buffer.from(lines('café au lait'), 'latin1')), 400, /not UTF-8|corpus-not-text/],
  ['UTF-16 of an odd number of bytes', upload(utf16(TEXT).subarray(0, -1)), 400, /half a character/],
  ['UTF-32 with a mark', upload(Buffer.from(`fffe0000${'61000000'.repeat(99)}`, 'hex')), 400, /NUL/],
  ['gzip under the name of a text', upload(gzipSync(TEXT)), 400, /corpus-not-text|gzip/],
  ['gzip under its own name', upload(gzipSync(TEXT), 'a.txt.gz'), 400, /gzip/],
  [
    'two byte-order marks at the beginning',
    readBack(`\ufeff\ufeff${TEXT}`, 'a.txt', field('splitBy', 'tail')),
    200,
    (answer) => assert.match(answer.json().text, /^The cat/),
  ],
  ['marks where files were joined', readBack(lines('\ufeffjoined')), 200, has('\n\ufeffjoined')],
  [
    'characters that are none: U+FFFE and U+FFFF',
    readBack(lines('a\ufffeb\uffff')),
    200,
    has('a\ufffeb\uffff'),
  ],
  ['the last code point', readBack(lines('\u{10ffff}\u{1fffe}')), 200, has('\u{10ffff}\u{1fffe}')],
  [
    'private use and unassigned code points',
    readBack(lines('\ue000\u{f0000}\u0378')),
    200,
    has('\ue000\u{f0000}\u0378'),
  ],
  ['lone carriage returns as line ends', readBack('a line\r'.repeat(300)), 200, lacks('\r')],
  ['all kinds of line ends mixed', readBack('a\r\nb\rc\n'.repeat(300)), 200, has('a\r\nb\nc\n')],
  ['carriage returns before CR LF', readBack('a\r\r\nb\n'.repeat(300)), 200, has('a\n\r\nb')],
  [
    'line and paragraph separators',
    readBack(lines('a\u2028b\u2029c\u0085d\u000be\fg')),
    200,
    has('a\u2028b\u2029c\u0085d\u000be\fg'),
  ],
  ['terminal escapes', readBack(lines('\u001b[31mred\u001b[0m')), 200, has('\u001b[31m')],
  ['text that turns the direction', readBack(lines('\u202eabc\u2066')), 200, has('\u202eabc')],
  ['combining marks only', upload('\u0301'.repeat(500)), 201],
  ['emojis only', readBack('👨‍👩‍👧🇦🇹👍🏽'.repeat(100)), 200, has('👨‍👩‍👧🇦🇹👍🏽')],
  ['one grapheme cluster of ten thousand marks', upload(`a${'\u0301'.repeat(10_000)}\n${TEXT}`), 201],
  ['one line of a megabyte', upload('word '.repeat(200_000)), 201],
  [
    'the tokens of a vocabulary as text',
    readBack(lines('<unk> <eos> Ġ <pad> <|endoftext|>')),
    200,
    has('<unk> <eos> Ġ'),
  ],
  ['Thai and Khmer, without spaces', upload('สวัสดีชาวโลก។សួស្តី'.repeat(60)), 201],
  ['a text of one character', upload('a'.repeat(3000)), 201],
  ['a text that differs in its normal form', readBack(lines('e\u0301 é')), 200, has('e\u0301 é')],
  [
    'JSON lines with a mark, CR LF and blank lines',
    readBack(`\ufeff${many('{"text":"a row of it"}\r\n\r\n')}`, 'a.jsonl'),
    200,
    has('a row of it\n'),
  ],
  [
    'JSON lines whose ending is written in capitals',
    readBack(many('{"text":"capital"}'), 'A.JSONL'),
    200,
    lacks('{'),
  ],
  ['JSON lines that are strings', readBack(many('"only a string"'), 'a.jsonl'), 200, has('only a string\n')],
  [
    'a string of JSON lines with a lone surrogate',
    upload(many('"a \\ud800 b"'), 'a.jsonl'),
    400,
    /line 1 has a lone surrogate/,
  ],
  [
    'a string of JSON lines with a NUL',
    upload(many('"a \\u0000 b"'), 'a.jsonl'),
    400,
    /line 1 has a lone surrogate or a NUL/,
  ],
  [
    'a field of JSON lines with a lone surrogate',
    upload(many('{"text":"\\udc00"}'), 'a.jsonl'),
    400,
    /line 1 has a lone surrogate/,
  ],
  [
    'carriage returns within JSON strings',
    readBack(many('{"text":"a\\rb\\r\\nc"}'), 'a.jsonl'),
    200,
    has('a\nb\r\nc\n'),
  ],
  [
    'a JSON array instead of lines',
    upload(`[\n${many('{"text":"a"},')}\n]`, 'a.jsonl'),
    400,
    /line 1 is not JSON/,
  ],
  [
    'JSON lines whose fourth is broken',
    upload(`${many('{"text":"a"}')}\n{"text":`, 'a.jsonl'),
    400,
    /line 61 is not JSON/,
  ],
  [
    'JSON lines with text beside its field',
    upload(many('{"content":"a","id":1}'), 'a.jsonl'),
    400,
    /no text in the field "text".*textField names it.*content, id/,
  ],
  [
    'JSON lines that name a field of Object',
    upload(many('{"a":"b"}'), 'a.jsonl', field('textField', 'constructor.name')),
    400,
    /no text in the field "constructor.name"/,
  ],
  [
    'JSON lines that name __proto__',
    upload(many('{"a":"b"}'), 'a.jsonl', field('textField', '__proto__')),
    400,
    /no text in the field/,
  ],
  [
    'JSON lines with a dot in the name of a field',
    readBack(many('{"meta.text":"dotted row"}'), 'a.jsonl', field('textField', 'meta.text')),
    200,
    has('dotted row'),
  ],
  ['JSON lines of null and numbers', upload(many('null'), 'a.jsonl'), 400, /Fields there: none/],
  [
    'JSON lines nested ten thousand deep',
    upload('['.repeat(10_000) + ']'.repeat(10_000), 'a.jsonl'),
    400,
    /no text in the field/,
  ],
  [
    'a table with a mark before its first column',
    readBack(`\ufefftext,id\n${many('a cell,1')}`, 'a.csv', field('textColumn', 'text')),
    200,
    has('a cell\n'),
  ],
  [
    'a table whose column is written otherwise',
    upload(`Text,id\n${many('a,1')}`, 'a.csv', field('textColumn', 'text')),
    400,
    /no column "text"; the first line has: Text, id/,
  ],
  [
    'a table with rows that are too short',
    upload(`id,text\n${many('1')}`, 'a.csv', field('textColumn', 'text')),
    400,
    /row 1 after the first line, ends before the column "text"/,
  ],
  [
    'a table with an open quote',
    upload(`id,text\n1,"never closed\n${many('2,b')}`, 'a.csv', field('textColumn', 'text')),
    400,
    /is not a table/,
  ],
  [
    'a table with line ends in its cells',
    readBack(`id,text\n${many('1,"two\r\nlines"')}`, 'a.csv', field('textColumn', 'text')),
    200,
    has('two\r\nlines\n'),
  ],
  [
    'a table by semicolons',
    upload(`id;text\n${many('1;a')}`, 'a.csv', field('textColumn', 'text')),
    400,
    /no column "text"/,
  ],
  [
    'a table with a column __proto__',
    upload(`__proto__,text\n${many('a,b')}`, 'a.csv', field('textColumn', '__proto__')),
    201,
  ],
  [
    'a table of tabs in capitals',
    readBack(`id\ttext\n${many('1\ta tab')}`, 'A.TSV', field('textColumn', 'text')),
    200,
    has('a tab\n'),
  ],
  ['an archive that is a text', upload(TEXT, 'a.zip'), 400, /not a .zip that can be read/],
  [
    'an empty archive',
    upload(Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex'), 'a.zip'),
    400,
    /corpus-too-short/,
  ],
  ['half an archive', upload(Buffer.from('504b0304', 'hex'), 'a.zip'), 400, /not a .zip/],
];
