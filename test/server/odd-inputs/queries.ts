/** Addresses: queries, pages, ids, and streams of events. */
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { type Answer, type Ask, get, type OddInput, post, raw, send } from './ask.js';
import { SMALL_RUN } from './world.js';

const EVENTS = { accept: 'text/event-stream' };
const wrong = (field: string, says?: RegExp) => ({ field, ...(says && { says }) });
const none = (answer: Answer) => assert.deepEqual(answer.json().items, []);
/** The status with which an upgrade is refused, or 101 and the code of the close that follows. */
const socket =
  (path: string, options: WebSocket.ClientOptions = {}, protocols: string[] = []): Ask =>
  ({ socketAddress, ids }) =>
    new Promise((resolve, reject) => {
      const address = socketAddress + path.replace('{trained}', ids.trained!);
      const client = new WebSocket(address, protocols, options);
      const answerOf = (status: number, text: string) =>
        resolve({ status, text, headers: {}, json: () => JSON.parse(text) });
      const messages: string[] = [];
      client.on('message', (data) => messages.push(String(data)));
      client.on('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk)).on('end', () => answerOf(response.statusCode!, body));
      });
      client.on('close', (code) => answerOf(101, JSON.stringify({ code, messages })));
      client.on('error', (error) => (client.readyState === WebSocket.CONNECTING ? reject(error) : undefined));
    });
const closes = (code: number) => (answer: Answer) => assert.equal(answer.json().code, code, answer.text);
const sends =
  (message: string | Buffer): Ask =>
  async ({ socketAddress, ids }) => {
    const client = new WebSocket(`${socketAddress}/experiments/${ids.trained}/progress`);
    return new Promise((resolve) => {
      client.on('open', () => client.send(message));
      client.on('error', () => {});
      client.on('close', (code) =>
        resolve({ status: 101, text: '', headers: {}, json: <Value>() => ({ code }) as Value }),
      );
    });
  };

export const queryInputs: readonly OddInput[] = [
  [
    'an id of dots',
    raw('GET /experiments/%2e%2e HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'),
    404,
    /experiment-not-found/,
  ],
  ['an id that climbs', get('/experiments/..%2f..%2fetc%2fpasswd'), 404, /experiment-not-found/],
  ['an id with a NUL', get('/experiments/%00'), 404],
  ['an id that is not UTF-8', get('/experiments/%ff'), 400],
  ['an id of 201 characters', get(`/experiments/${'i'.repeat(201)}`), 400, wrong('id', /at most 200/)],
  [
    'an id of emojis',
    get(`/experiments/${encodeURIComponent('👍'.repeat(50))}`),
    404,
    /experiment-not-found/,
  ],
  [
    'an id with a quote, as injections have it',
    get(`/experiments/${encodeURIComponent("' OR 1=1 --")}`),
    404,
    /experiment-not-found/,
  ],
  ['an id in the form of a template', get('/experiments/%7B%7B7*7%7D%7D'), 404],
  [
    'an archive of an id that no header can carry',
    get(`/experiments/${encodeURIComponent('日本')}/archive`),
    404,
    /experiment-not-found/,
  ],
  [
    'an archive of an id with a line end',
    get('/experiments/a%0D%0AX:%20y/archive'),
    404,
    /experiment-not-found/,
  ],
  [
    'an export of an id that no header can carry',
    get(`/experiments/${encodeURIComponent('日本')}/export`),
    404,
    /experiment-not-found/,
  ],
  [
    'TensorBoard’s file of an id that no header can carry',
    get(`/experiments/${encodeURIComponent('日本')}/tensorboard`),
    404,
    /experiment-not-found/,
  ],
  [
    'metrics as CSV of an id that no header can carry',
    get(`/experiments/${encodeURIComponent('日本')}/metrics?format=csv`),
    404,
    /experiment-not-found/,
  ],
  ['a slash at the end', get('/experiments/'), 400, wrong('id')],
  ['two slashes at the beginning', get('//experiments'), 404],
  ['a path in capitals', get('/Experiments'), 404],
  ['a path with parameters', get('/experiments;v=1'), 404],
  ['a path that is encoded', get('/%65xperiments'), 200],
  ['a limit of 0', get('/experiments?limit=0'), 400, wrong('limit')],
  ['a limit beyond the most', get('/experiments?limit=201'), 400, wrong('limit', /at most 200/)],
  ['a limit twice', get('/experiments?limit=5&limit=6'), 400, wrong('limit')],
  ['a limit by exponent', get('/experiments?limit=1e1'), 200],
  ['a cursor of nonsense', get('/experiments?cursor=abc'), 400, /cursor/],
  [
    'a cursor that is the base64 of nonsense',
    get(`/experiments?cursor=${Buffer.from('[1,2]').toString('base64url')}`),
    400,
    /cursor/,
  ],
  [
    'a cursor of another order',
    async (world) => {
      const { nextCursor } = (await get('/experiments?limit=1')(world)).json();
      return get(`/experiments?limit=1&sort=validPerplexity&cursor=${encodeURIComponent(nextCursor)}`)(world);
    },
    400,
    /cursor/,
  ],
  [
    'a name with a per cent sign',
    get('/experiments?name=%25'),
    200,
    (answer) => assert.ok(answer.json().items.every(({ name }: { name: string }) => name.includes('%'))),
  ],
  [
    'a name with an underscore',
    get('/experiments?name=_'),
    200,
    (answer) => assert.ok(answer.json().items.every(({ name }: { name: string }) => name.includes('_'))),
  ],
  ['a name with a backslash', get('/experiments?name=%5C'), 200, none],
  [
    'a name in other capitals than ASCII’s',
    async (world) => {
      await post('/experiments', { ...SMALL_RUN, name: 'ÄRGER' })(world);
      return get(`/experiments?name=${encodeURIComponent('ärger')}`)(world);
    },
    200,
    (answer) => assert.equal(answer.json().items.length, 1),
  ],
  ['an empty name', get('/experiments?name='), 400, wrong('name')],
  ['a state that is none', get('/experiments?state=done'), 400, wrong('state.0')],
  ['states with a comma at the end', get('/experiments?state=succeeded,'), 400, wrong('state.1')],
  ['an order by a name of Object', get('/experiments?sort=constructor'), 400, wrong('sort')],
  ['an order by SQL', get('/experiments?sort=id;DROP'), 400, wrong('sort')],
  ['a query of __proto__', get('/experiments?__proto__=x'), 400],
  ['a query of brackets', get('/experiments?filter[state]=x'), 400, wrong('filter[state]')],
  ['a query that begins with an ampersand', get('/experiments?&&limit=1'), 200],
  ['a query of ten thousand fields', get(`/experiments?${'a=1&'.repeat(2000)}`), 400],
  ['a question mark in a query', get('/experiments?name=what?'), 200],
  [
    'metrics of a key that is none',
    get('/experiments/{trained}/metrics?keys=perplexity'),
    400,
    /unknown metric "perplexity"/,
  ],
  ['metrics of an empty key', get('/experiments/{trained}/metrics?keys='), 400, wrong('keys.0')],
  [
    'metrics from a step after the last to one before',
    get('/experiments/{trained}/metrics?fromStep=10&toStep=1'),
    200,
  ],
  ['metrics of one point', get('/experiments/{trained}/metrics?maxPoints=1'), 400, wrong('maxPoints')],
  ['metrics of two points', get('/experiments/{trained}/metrics?maxPoints=2'), 200],
  [
    'metrics as a type that is none',
    get('/experiments/{trained}/metrics', { accept: 'application/xml' }),
    200,
  ],
  ['events since minus one', get('/experiments/{trained}/events?since=-1'), 400, wrong('since')],
  ['events since infinity', get('/experiments/{trained}/events?since=1e999'), 400, wrong('since')],
  [
    'events after an id that is no number',
    get('/experiments/{trained}/events', { ...EVENTS, 'last-event-id': 'abc' }),
    200,
    /event: succeeded/,
  ],
  [
    'events after an id of another run',
    get('/experiments/{trained}/events', { ...EVENTS, 'last-event-id': '99999' }),
    204,
  ],
  [
    'events after an empty id, as a browser sends it at first',
    get('/experiments/{trained}/events', { ...EVENTS, 'last-event-id': '' }),
    200,
    /event: succeeded/,
  ],
  ['events of no page', get('/experiments/{trained}/events?limit=0'), 400, wrong('limit')],
  ['a comparison of one run with itself', get('/compare?ids={trained},{trained}'), 200],
  ['a comparison of nothing', get('/compare'), 400],
  ['a comparison with a run that is not there', get('/compare?ids={trained},none'), 404, /none/],
  ['the deletion of all runs', send('DELETE', '/experiments'), 405],
  [
    'the deletion of a corpus that comes with gatelm',
    send('DELETE', '/corpora/handbook'),
    400,
    /part of gatelm/,
  ],
  ['a control that is none', post('/experiments/{trained}/stop'), 404, /route-not-found/],
  ['the pause of what has ended', post('/experiments/{trained}/pause'), 409, /succeeded/],
  ['the pause with a body', post('/experiments/{words}/pause', { now: true }), 409],
  ['a socket of a run that is not there', socket('/experiments/none/progress'), 404, /experiment-not-found/],
  ['a socket since a text', socket('/experiments/{trained}/progress?since=abc'), 400, /since/],
  [
    'a socket since beyond the last event',
    socket('/experiments/{trained}/progress?since=99999'),
    101,
    closes(1000),
  ],
  [
    'a socket with a protocol that is none',
    socket('/experiments/{trained}/progress', {}, ['graphql-ws']),
    101,
    closes(1000),
  ],
  [
    'a socket of an old version',
    socket('/experiments/{trained}/progress', { protocolVersion: 8 }),
    101,
    closes(1000),
  ],
  ['a socket where there is none', socket('/healthz'), 400, /no WebSocket at \/healthz/],
  ['a page where a socket is', get('/experiments/{trained}/progress'), 400, /use ws:/],
  [
    'a socket from a page of another site',
    socket('/experiments/{trained}/progress', { headers: { origin: 'https://evil.example' } }),
    403,
  ],
  ['a text sent to a socket that only tells', sends('{"pause":true}'), 101],
  ['a megabyte sent to a socket that only tells', sends(Buffer.alloc(1_000_000)), 101],
  [
    'the events of a socket’s key that is too short',
    raw(
      'GET /experiments/{trained}/progress HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n',
    ),
    400,
  ],
];
