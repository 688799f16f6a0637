/** A server that a proxy puts below a path: whatever it says of its addresses leads through the proxy. */

import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { GatelmClient } from '../../src/client/client.js';
import { Environment, parseEnvironment } from '../../src/contracts/environment.js';
import { cleanUp } from '../support/clean-up.js';
import { ProgressClient } from '../support/progress-client.js';
import { startService } from '../support/service.js';

const PREFIX = '/gatelm';
const TEXT = 'the cat sat on the mat\n'.repeat(400);
const EXPERIMENT = { preset: 'rnnlm', corpus: 'a-text', training: { epochs: 1 } };

/** Passes on what is below the prefix, and nothing else. @returns its address */
async function startProxy(t: TestContext, port: number, keeps: 'prefix' | 'rest'): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    const { url = '/', method, headers } = incoming;
    if (!url.startsWith(PREFIX)) return void outgoing.writeHead(418).end();
    const path = keeps === 'prefix' ? url : url.slice(PREFIX.length) || '/';
    const onward = httpRequest({ port, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  cleanUp(t, () => proxy.close());
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

for (const keeps of ['prefix', 'rest'] as const)
  test(`GATELM_BASE_PATH is before every address, where the proxy keeps the ${keeps} of a path`, async (t) => {
    const { app, socketAddress } = await startService(t, { environment: { basePath: PREFIX } });
    const proxy = await startProxy(t, (app.server.address() as AddressInfo).port, keeps);
    const post = (path: string, body: unknown) =>
      fetch(`${proxy}${PREFIX}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: proxy },
        body: JSON.stringify(body),
      });

    const form = new FormData();
    form.set('name', 'a-text');
    form.set('file', new Blob([TEXT]), 'a.txt');
    const upload = await fetch(`${proxy}${PREFIX}/corpora`, { method: 'POST', body: form });
    assert.equal((await fetch(proxy + upload.headers.get('location'))).status, 200);

    const created = await post('/experiments', EXPERIMENT);
    assert.equal(created.status, 201);
    const { id, links } = (await created.json()) as { id: string; links: Record<string, string> };
    assert.equal(created.headers.get('location'), `${PREFIX}/experiments/${id}`);
    for (const link of Object.values(links)) assert.ok(link.startsWith(`${PREFIX}/`), link);
    const followed = await fetch(proxy + links.self);
    assert.deepEqual(((await followed.json()) as { links: unknown }).links, links);
    const list = (await (await fetch(`${proxy}${PREFIX}/experiments`)).json()) as { items: unknown[] };
    assert.deepEqual((list.items[0] as { links: unknown }).links, links);

    const document = (await (await fetch(`${proxy}${PREFIX}/openapi.json`)).json()) as { servers: unknown };
    assert.deepEqual(document.servers, [{ url: PREFIX }]);
    const page = await fetch(`${proxy}${PREFIX}/docs`);
    assert.equal(page.url, `${proxy}${PREFIX}/docs/`);
    const html = await page.text();
    const files = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, file]) => file!);
    assert.ok(files.length > 3);
    for (const file of files) assert.equal((await fetch(new URL(file, page.url))).status, 200, file);
    const ofPage = (await (await fetch(new URL('json', page.url))).json()) as { servers: unknown };
    assert.deepEqual(ofPage.servers, [{ url: PREFIX }]);

    const client = new ProgressClient(`${socketAddress}${links.progress}`);
    const { experiment } = await client.until('snapshot');
    assert.deepEqual(experiment.links, links);
    client.socket.close();
  });

test('the path itself leads to the page below it, which names its files from where it is', async (t) => {
  const { app } = await startService(t, { environment: { basePath: PREFIX } });
  const { statusCode, headers } = await app.inject(PREFIX);
  assert.deepEqual([statusCode, headers.location], [302, `${PREFIX}/`]);
  assert.equal((await app.inject('/healthz')).statusCode, 200, 'without the path, too');
});

test('an imported run and the next page of a list have the path once', async (t) => {
  const { address } = await startService(t, { environment: { basePath: PREFIX }, plays: true });
  const client = new GatelmClient({ url: address });
  const { id } = await client.createExperiment({ corpus: 'handbook' });
  for await (const _ of client.follow(id));
  const archive = await fetch(`${address}/experiments/${id}/archive`);
  const imported = await fetch(`${address}/experiments/import/archive`, {
    method: 'POST',
    headers: { 'content-type': 'application/zip' },
    body: await archive.blob(),
  });
  const { id: copy } = (await imported.json()) as { id: string };
  assert.equal(imported.headers.get('location'), `${PREFIX}/experiments/${copy}`);
  const page = await fetch(`${address}/experiments?format=csv&limit=1`);
  assert.match(page.headers.get('link')!, /^<\/gatelm\/experiments\?\S*cursor=\S+>; rel="next"$/);
});

test('X-Forwarded-Prefix is believed of trusted proxies alone, and only where it is a path', async (t) => {
  const selfOf = async (trustedProxies: string[], prefix: string) => {
    const { app } = await startService(t, { environment: { trustedProxies } });
    const { json } = await app.inject({ url: '/openapi.json', headers: { 'x-forwarded-prefix': prefix } });
    return (json() as { servers?: [{ url: string }] }).servers?.[0].url ?? '';
  };
  for (const proxies of [['127.0.0.1'], ['127.0.0.0/8'], ['10.0.0.1', '127.0.0.0/30']])
    assert.equal(await selfOf(proxies, PREFIX), PREFIX);
  assert.equal(await selfOf(['127.0.0.1'], '/a/b/'), '/a/b');
  for (const proxies of [[], ['10.0.0.0/8'], ['::1']]) assert.equal(await selfOf(proxies, PREFIX), '');
  const odd = [
    '//evil.example',
    'https://evil.example',
    '/../x',
    '/./',
    '/a"b',
    '/a, /b',
    '/a\\b',
    '/é',
    '/',
  ];
  for (const prefix of odd) assert.equal(await selfOf(['127.0.0.1'], prefix), '', prefix);
});

test('a page at the address that a trusted proxy names may post; at one that another names, not', async (t) => {
  for (const [trustedProxies, status] of [
    [['127.0.0.1'], 201],
    [[], 403],
  ] as const) {
    const { app } = await startService(t, { environment: { trustedProxies: [...trustedProxies] } });
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/experiments',
      headers: { origin: 'https://models.example', 'x-forwarded-host': 'models.example' },
      payload: {},
    });
    assert.equal(statusCode, status);
  }
});

test('settings that are no path or no proxy are refused at start', () => {
  for (const value of ['gatelm', '/gatelm/', '//x', '/..', '/a b', 'https://x.example/gatelm'])
    assert.throws(() => parseEnvironment({ GATELM_BASE_PATH: value }), /GATELM_BASE_PATH/, value);
  for (const value of ['localhost', '10.0.0.0/33', '*', '1.2.3'])
    assert.throws(() => parseEnvironment({ GATELM_TRUSTED_PROXIES: value }), /GATELM_TRUSTED_PROXIES/, value);
  const { basePath, trustedProxies } = parseEnvironment({
    GATELM_BASE_PATH: '/a/b',
    GATELM_TRUSTED_PROXIES: '::1, 10.0.0.0/8',
  });
  assert.deepEqual([basePath, trustedProxies], ['/a/b', ['::1', '10.0.0.0/8']]);
  assert.equal(Environment.parse({}).basePath, '');
});
