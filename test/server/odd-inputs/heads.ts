/** Heads and bodies of requests, as proxies, browsers and hand-written clients make them. */
import assert from 'node:assert/strict';
import { type Answer, type Ask, get, type OddInput, post, raw, send } from './ask.js';
import { SMALL_RUN } from './world.js';

const SMALL = JSON.stringify(SMALL_RUN);
const JSON_HEAD = 'Host: 127.0.0.1\r\nContent-Type: application/json\r\n';
const request = (line: string, head = 'Host: 127.0.0.1\r\n', body = ''): Ask =>
  raw(`${line}\r\n${head}Connection: close\r\n\r\n${body}`);
const typed = (type: string, body: string | Buffer = SMALL): Ask =>
  post('/experiments?dryRun=true', body, { 'content-type': type });
const isJson = (answer: Answer) => assert.match(String(answer.headers['content-type']), /^application\/json/);
const isText = (answer: Answer) => assert.match(String(answer.headers['content-type']), /^text\/plain/);
const isEvents = (answer: Answer) =>
  assert.match(String(answer.headers['content-type']), /^text\/event-stream/);
const accepting = (accept: string) => get('/generate?experiment=words&maxTokens=2', { accept });
const list = (headers: Record<string, string>) => get('/experiments?limit=1', headers);

export const headInputs: readonly OddInput[] = [
  ['JSON with a charset', typed('application/json; charset=utf-8'), 200],
  ['JSON with a charset in capitals and quotes', typed('application/json;charset="UTF-8"'), 200],
  ['JSON in other capitals', typed('Application/JSON'), 200],
  ['JSON with a suffix', typed('application/vnd.api+json'), 415],
  ['JSON as text/json', typed('text/json'), 415, /application\/json/],
  ['JSON as a form of curl -d', typed('application/x-www-form-urlencoded'), 415, /application\/json/],
  ['JSON as text/plain, as a page may send it without a preflight', typed('text/plain'), 415],
  ['a type that is no type', typed('json'), 415],
  ['a type of semicolons', typed(';;;'), 415],
  ['a body of white space', typed('application/json', ' \n'), 400, /not valid JSON/],
  ['a body on GET', (world) => send('DELETE', '/experiments/none', {})(world), 404],
  ['no type and no body', post('/experiments?dryRun=true', undefined), 400],
  ['Accept that is empty', accepting(''), 200, isJson],
  ['Accept of all', accepting('*/*'), 200, isJson],
  [
    'Accept of a browser',
    accepting('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'),
    200,
    isJson,
  ],
  ['Accept of two, the second better', accepting('application/json;q=0.5, text/plain'), 200, isText],
  ['Accept of text of any kind', accepting('text/*'), 200, isText],
  ['Accept of nothing', accepting('*/*;q=0'), 200, isJson],
  ['Accept in capitals', accepting('TEXT/EVENT-STREAM'), 200, isEvents],
  ['Accept with a quality that is none', accepting('text/plain;q=high, application/json'), 200, isJson],
  ['Accept of a thousand types', accepting('a/b,'.repeat(1000)), 200, isJson],
  ['If-None-Match of all', list({ 'if-none-match': '*' }), 200],
  ['a range of JSON', list({ range: 'bytes=0-1' }), 200],
  [
    'a method in a header',
    post('/experiments/{trained}', undefined, { 'x-http-method-override': 'DELETE' }),
    405,
  ],
  [
    'a forwarded prefix from a stranger',
    list({ 'x-forwarded-prefix': '//evil.example' }),
    200,
    (answer) => assert.doesNotMatch(answer.text, /evil/),
  ],
  [
    'a forwarded host from a stranger',
    list({ 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }),
    200,
    (answer) => assert.doesNotMatch(answer.text, /evil/),
  ],
  ['a host of another site', list({ host: 'evil.example' }), 403],
  [
    'an origin of another site',
    post('/experiments?dryRun=true', {}, { origin: 'https://evil.example' }),
    403,
  ],
  ['an origin that is null', post('/experiments?dryRun=true', {}, { origin: 'null' }), 403],
  ['a key where none is asked for', list({ authorization: 'Bearer x' }), 200],
  ['an idempotency key of accents', post('/experiments', SMALL_RUN, { 'idempotency-key': 'clé' }), 201],
  [
    'an empty idempotency key',
    post('/experiments', {}, { 'idempotency-key': '' }),
    400,
    { field: 'idempotency-key' },
  ],
  [
    'an idempotency key of 256 characters',
    post('/experiments', {}, { 'idempotency-key': 'k'.repeat(256) }),
    400,
    { field: 'idempotency-key' },
  ],
  [
    'an idempotency key with another body',
    async (world) => {
      await post('/experiments', { ...SMALL_RUN, name: 'once' }, { 'idempotency-key': 'same' })(world);
      return post('/experiments', { ...SMALL_RUN, name: 'twice' }, { 'idempotency-key': 'same' })(world);
    },
    409,
  ],
  ['HTTP/1.0 without a host', raw('GET /healthz HTTP/1.0\r\n\r\n'), 200],
  ['HTTP/1.1 without a host', request('GET /healthz HTTP/1.1', ''), 400],
  ['two hosts', request('GET /healthz HTTP/1.1', 'Host: 127.0.0.1\r\nHost: evil.example\r\n'), 400],
  ['HTTP/2 on a connection of HTTP/1', raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 400],
  ['HTTP/9.9', request('GET /healthz HTTP/9.9'), 400],
  ['a method in small letters', request('get /healthz HTTP/1.1'), 400],
  ['an absolute address', request('GET http://127.0.0.1/healthz HTTP/1.1'), 200],
  ['an absolute address of another site', request('GET http://evil.example/healthz HTTP/1.1'), 200],
  ['a path without a slash', request('GET healthz HTTP/1.1'), 400],
  ['an asterisk', request('OPTIONS * HTTP/1.1'), 404],
  ['TRACE', request('TRACE / HTTP/1.1'), 405],
  ['CONNECT', request('CONNECT 127.0.0.1:80 HTTP/1.1'), 0],
  ['a header without a colon', request('GET /healthz HTTP/1.1', 'Host: 127.0.0.1\r\nnonsense\r\n'), 400],
  ['a header that is folded', request('GET /healthz HTTP/1.1', 'Host: 127.0.0.1\r\nX: a\r\n b\r\n'), 400],
  ['a header with a space before its colon', request('GET /healthz HTTP/1.1', 'Host : 127.0.0.1\r\n'), 400],
  ['a NUL in a header', request('GET /healthz HTTP/1.1', 'Host: 127.0.0.1\r\nX: a\0b\r\n'), 400],
  [
    'two hundred headers',
    request('GET /healthz HTTP/1.1', `Host: 127.0.0.1\r\n${'X-Y: z\r\n'.repeat(200)}`),
    200,
  ],
  [
    'two lengths that differ',
    request('POST /experiments HTTP/1.1', `${JSON_HEAD}Content-Length: 2\r\nContent-Length: 3\r\n`, '{}'),
    400,
  ],
  [
    'a length and chunks, as smugglers send them',
    request(
      'POST /experiments HTTP/1.1',
      `${JSON_HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`,
      '0\r\n\r\n',
    ),
    400,
  ],
  ['a negative length', request('POST /experiments HTTP/1.1', `${JSON_HEAD}Content-Length: -1\r\n`), 400],
  [
    'a length in hexadecimal',
    request('POST /experiments HTTP/1.1', `${JSON_HEAD}Content-Length: 0x2\r\n`, '{}'),
    400,
  ],
  [
    'a length shorter than the body',
    request(
      'POST /experiments?dryRun=true HTTP/1.1',
      `${JSON_HEAD}Content-Length: 2\r\n`,
      '{}{"name":"hidden"}',
    ),
    400,
  ],
  [
    'a chunk that is longer than it says',
    request(
      'POST /experiments HTTP/1.1',
      `${JSON_HEAD}Transfer-Encoding: chunked\r\n`,
      '1\r\n{}\r\n0\r\n\r\n',
    ),
    400,
  ],
  [
    'chunks with trailers',
    request(
      'POST /experiments?dryRun=true HTTP/1.1',
      `${JSON_HEAD}Transfer-Encoding: chunked\r\n`,
      `${SMALL.length.toString(16)}\r\n${SMALL}\r\n0\r\nX: y\r\n\r\n`,
    ),
    200,
  ],
  [
    'an encoding of transfer that is none',
    request('POST /experiments HTTP/1.1', `${JSON_HEAD}Transfer-Encoding: gzip\r\n`, '{}'),
    400,
  ],
  [
    'an expectation that is none',
    request(
      'POST /experiments?dryRun=true HTTP/1.1',
      `${JSON_HEAD}Content-Length: 2\r\nExpect: a miracle\r\n`,
      '{}',
    ),
    417,
  ],
  [
    'an upgrade to HTTP/2, as Java’s client offers it',
    raw(
      'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n',
    ),
    200,
    /"status":"ok"/,
  ],
  [
    'a body with an upgrade to HTTP/2',
    raw(
      'POST /experiments?dryRun=true HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"preset":null}\n',
    ),
    200,
    /"dryRun":true/,
  ],
  [
    'an upgrade to TLS',
    raw('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, close\r\nUpgrade: TLS/1.3\r\n\r\n'),
    200,
  ],
  [
    'two requests at once',
    raw(
      `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
    ),
    200,
    /HTTP\/1\.1 200/,
  ],
];
