/** The files of the dashboard: at `/`, without a key, under a strict policy, and in no other path's way. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { startService, temporaryFolder } from '../support/service.js';

const PAGE = '<!doctype html><title>a page</title>';
const SCRIPT = 'console.log("a script");';

function builtDashboard(t: TestContext): string {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), PAGE);
  writeFileSync(join(folder, 'assets', 'main-abc.js'), SCRIPT);
  writeFileSync(join(folder, 'assets', 'main-abc.js.br'), brotliCompressSync(SCRIPT));
  return folder;
}

test('the page is revalidated, its hashed files are kept, and both forbid what is not their own', async (t) => {
  const { app } = await startService(t, { dashboardFolder: builtDashboard(t) });
  const page = await app.inject('/');
  assert.equal(page.statusCode, 200);
  assert.equal(page.body, PAGE);
  assert.equal(page.headers['cache-control'], 'no-cache');
  const policy = String(page.headers['content-security-policy']);
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:/);
  const script = await app.inject('/assets/main-abc.js');
  assert.equal(script.body, SCRIPT);
  assert.match(String(script.headers['cache-control']), /immutable/);
});

test('a file that was compressed ahead comes compressed to whoever takes it', async (t) => {
  const { app } = await startService(t, { dashboardFolder: builtDashboard(t) });
  const { headers, rawPayload } = await app.inject({
    url: '/assets/main-abc.js',
    headers: { 'accept-encoding': 'gzip, br' },
  });
  assert.equal(headers['content-encoding'], 'br');
  assert.equal(brotliDecompressSync(rawPayload).toString(), SCRIPT);
});

test('with keys, the files need none and what they ask for does', async (t) => {
  const { app } = await startService(t, {
    dashboardFolder: builtDashboard(t),
    environment: { apiKeys: ['a-key-of-thirty-two-characters-000'] },
  });
  assert.equal((await app.inject('/')).statusCode, 200);
  assert.equal((await app.inject('/assets/main-abc.js')).statusCode, 200);
  for (const path of ['/experiments', '/metrics', '/corpora', '/assets/other.js'])
    assert.equal((await app.inject(path)).statusCode, 401, path);
});

test('other paths mean what they meant: unknown ones are problems, with and without a dashboard', async (t) => {
  for (const dashboardFolder of [builtDashboard(t), join(temporaryFolder(t), 'not-built')]) {
    const { app } = await startService(t, { dashboardFolder });
    const unknown = await app.inject('/no-such-page');
    assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'route-not-found']);
    assert.equal((await app.inject('/assets/../package.json')).statusCode, 404);
    assert.equal((await app.inject('/healthz')).statusCode, 200);
    assert.ok(
      !Object.keys((await app.inject('/openapi.json')).json().paths).some((path) => path.includes('assets')),
    );
  }
});
