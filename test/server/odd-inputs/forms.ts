/** Forms as clients and proxies make them. */
import assert from 'node:assert/strict';
import { type Ask, field, file, formBytes, type OddInput, type Part, postBytes, postForm } from './ask.js';
import { TEXT } from './world.js';

let forms = 0;
const own = () => field('name', `form ${forms++}`);
const upload = (...parts: Part[]): Ask => postForm('/corpora', [own(), ...parts]);
const bytes = (type: string, body: string | Uint8Array): Ask =>
  postBytes('/corpora', body, { 'content-type': type });
const whole = (boundary = 'x') => formBytes([own(), file('file', TEXT)], boundary);
const isNamed = (name: string) => (answer: { json(): { name: string } }) =>
  assert.equal(answer.json().name, name);

export const formInputs: readonly OddInput[] = [
  ['a boundary in quotes', bytes('multipart/form-data; boundary="x y"', whole('x y')), 201],
  ['a boundary with a slash', bytes('multipart/form-data; boundary="-Xr/dc2"', whole('-Xr/dc2')), 201],
  ['a boundary with equals signs', bytes('multipart/form-data; boundary="b_MTc=="', whole('b_MTc==')), 201],
  [
    'a boundary of seventy characters',
    bytes(`multipart/form-data; boundary=${'b'.repeat(70)}`, whole('b'.repeat(70))),
    201,
  ],
  ['a media type in capitals', bytes('Multipart/Form-Data; BOUNDARY=x', whole()), 201],
  ['a parameter before the boundary', bytes('multipart/form-data; charset=utf-8; boundary=x', whole()), 201],
  ['no boundary', bytes('multipart/form-data', whole()), 400, /[Bb]oundary/],
  ['an empty boundary', bytes('multipart/form-data; boundary=', whole()), 400, /form is not valid/],
  ['another boundary than announced', bytes('multipart/form-data; boundary=y', whole()), 400],
  ['no body', bytes('multipart/form-data; boundary=x', ''), 400],
  ['only the end of a form', bytes('multipart/form-data; boundary=x', '--x--\r\n'), 400, { field: 'name' }],
  [
    'a form that is cut before its end',
    bytes('multipart/form-data; boundary=x', whole().subarray(0, -9)),
    400,
    /form is not valid/,
  ],
  [
    'text before and after the form',
    bytes(
      'multipart/form-data; boundary=x',
      Buffer.concat([Buffer.from('preamble\r\n'), whole(), Buffer.from('epilogue')]),
    ),
    201,
  ],
  [
    'line feeds without carriage returns',
    bytes('multipart/form-data; boundary=x', whole().toString().replaceAll('\r\n', '\n')),
    400,
  ],
  ['multipart/mixed', bytes('multipart/mixed; boundary=x', whole()), 415],
  [
    'application/x-www-form-urlencoded, as curl -d sends it',
    bytes('application/x-www-form-urlencoded', 'name=a&text=b'),
    415,
    /multipart\/form-data|text\/plain/,
  ],
  ['application/octet-stream', bytes('application/octet-stream', TEXT), 415],
  [
    'a part without a disposition',
    bytes('multipart/form-data; boundary=x', `--x\r\nX: y\r\n\r\nvalue\r\n${whole()}`),
    201,
  ],
  [
    'a part without a name',
    upload({ ...field('', ''), disposition: 'form-data' }, file('file', TEXT)),
    400,
    /a part has no name/,
  ],
  [
    'a file of the name file[]',
    upload(file('file[]', TEXT)),
    400,
    /Unknown file "file\[\]"; known: file, train/,
  ],
  [
    'a file under the name of a field',
    postForm('/corpora', [file('name', 'mine'), file('file', TEXT)]),
    400,
    /Unknown file "name"/,
  ],
  ['a field under the name of a file', upload(field('file', TEXT.slice(0, 500))), 400, { field: 'file' }],
  ['a file with an empty file name, as a browser sends none chosen', upload(file('file', '', '')), 400],
  ['a file name in UTF-8', upload(file('file', TEXT, 'お疲れ様です.txt')), 201],
  ['a file name with a quote and a backslash', upload(file('file', TEXT, 'a\\"b\\\\c.txt')), 201],
  ['a file name that climbs', upload(file('file', TEXT, '../../../etc/passwd')), 201],
  ['a file name as a path of Windows', upload(file('file', TEXT, 'C:\\texts\\a.txt')), 201],
  ['a file name of 3000 characters', upload(file('file', TEXT, `${'n'.repeat(3000)}.txt`)), 201],
  [
    'a file name by RFC 5987',
    upload({
      name: 'file',
      value: TEXT,
      disposition: 'form-data; name="file"; filename*=UTF-8\'\'%E2%82%AC.txt',
    }),
    201,
  ],
  [
    'a part in base64, which HTTP does not know',
    upload({
      ...file('file', Buffer.from(TEXT).toString('base64')),
      headers: 'Content-Transfer-Encoding: base64\r\n',
    }),
    400,
    /Content-Transfer-Encoding|base64/,
  ],
  [
    'a field of more than a thousand characters',
    upload(field('textField', 'f'.repeat(2000)), file('file', TEXT)),
    400,
  ],
  ['a field __proto__', upload(field('__proto__', 'x'), file('file', TEXT)), 400],
  ['a field constructor', upload(field('constructor', 'x'), file('file', TEXT)), 400],
  [
    'an unknown field',
    upload(field('validfraction', '0.1'), file('file', TEXT)),
    400,
    { field: 'validfraction', says: /did you mean "validFraction"/ },
  ],
  ['a field twice', postForm('/corpora', [own(), own(), file('file', TEXT)]), 400, /"name" was sent twice/],
  ['twelve fields too many', upload(...Array.from({ length: 20 }, (_, i) => field(`f${i}`, 'x'))), 400],
  [
    'a fraction with a comma',
    upload(field('validFraction', '0,1'), file('file', TEXT)),
    400,
    { field: 'validFraction' },
  ],
  [
    'a fraction in per cent',
    upload(field('testFraction', '10%'), file('file', TEXT)),
    400,
    { field: 'testFraction' },
  ],
  [
    'fractions of one in all',
    upload(field('validFraction', '0.5'), field('testFraction', '0.5'), file('file', TEXT)),
    400,
    /must be less than 1/,
  ],
  [
    'a fraction so small that nothing would be left',
    upload(field('validFraction', '1e-300'), file('file', TEXT)),
    201,
    (answer) => assert.ok(answer.json().statistics.valid.tokens >= 2),
  ],
  [
    'the word yes for true',
    upload(field('tokenized', 'yes'), file('file', TEXT)),
    400,
    { field: 'tokenized' },
  ],
  [
    'a seed that is negative',
    upload(field('splitSeed', '-1'), file('file', TEXT)),
    400,
    { field: 'splitSeed' },
  ],
  ['a file of a split twice', upload(file('train', TEXT), file('train', TEXT)), 400, /sent twice/],
  ['two of the three splits', upload(file('train', TEXT), file('valid', TEXT)), 400, /train, valid/],
  ['a whole text and a split', upload(file('file', TEXT), file('train', TEXT)), 400, /not both/],
  [
    'an empty split beside full ones',
    upload(file('train', TEXT), file('valid', ''), file('test', TEXT)),
    400,
    /valid/,
  ],
  ['two whole files, of which one is empty', upload(file('file', ''), file('file', TEXT)), 201],
  [
    'a name in the form and another in the query',
    postForm('/corpora?name=query', [own(), file('file', TEXT)]),
    201,
    isNamed(`form ${forms - 1}`),
  ],
  [
    'a text without a name',
    postBytes('/corpora', TEXT, { 'content-type': 'text/plain' }),
    400,
    { field: 'name' },
  ],
  [
    'a text with an empty body',
    postBytes('/corpora?name=none', '', { 'content-type': 'text/plain' }),
    400,
    /empty|corpus-too-short/,
  ],
  [
    'a text that says that it is Latin-1',
    postBytes('/corpora?name=latin', TEXT, { 'content-type': 'text/plain; charset=iso-8859-1' }),
    415,
    /charset|UTF-8/,
  ],
  [
    'a text that says that it is UTF-8',
    postBytes('/corpora?name=utf8', TEXT, { 'content-type': 'text/plain;charset="UTF-8"' }),
    201,
  ],
];
