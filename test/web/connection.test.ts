/** A server with keys that restarts under an open page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectAccessible, noBrowser, openPage } from '../support/browser.js';
import { startGatelm } from '../support/gatelm-server.js';
import { endlessConfig, uploadTinyCorpus } from '../support/live-training.js';
import { temporaryFolder } from '../support/service.js';

const KEY = 'a-key-of-thirty-two-characters-000';

test('with a key, which is in no address, a page goes on when its server comes back, and misses nothing', {
  skip: noBrowser(),
}, async (t) => {
  const dataDir = temporaryFolder(t);
  const first = await startGatelm(t, dataDir, { GATELM_API_KEYS: KEY });
  const authorization = `Bearer ${KEY}`;
  const { page } = await openPage(t, first.address);
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('websocket', (socket) => addresses.push(socket.url()));

  await page.getByLabel('API key').fill('not-the-key');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('does not know this key').waitFor();
  await expectAccessible(page);
  await page.getByLabel('API key').fill(KEY);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('No experiment yet').waitFor();

  await uploadTinyCorpus(first, 4000, { authorization });
  const response = await fetch(`${first.address}/experiments`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(endlessConfig('watched through a restart')),
  });
  const { id } = (await response.json()) as { id: string };
  await page.getByRole('link', { name: 'watched through a restart' }).click();
  await page.getByText('live', { exact: true }).waitFor();

  const { port } = new URL(first.address);
  await first.stop();
  await page.getByText('The connection is lost').waitFor();
  const second = await startGatelm(t, dataDir, { GATELM_API_KEYS: KEY, GATELM_PORT: port });
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('tab', { name: 'Events' }).click();
  await page.locator('.event-started').nth(1).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.event-cancelled').waitFor();

  const path = `/experiments/${id}/events?types=epoch&limit=10000`;
  const { items } = await second.get<{ items: unknown[] }>(path, { authorization });
  const shown = await page.locator('.event-epoch').count();
  assert.equal(shown, items.length, 'every epoch is there once');
  assert.ok(!addresses.some((address) => address.includes(KEY)));
  assert.ok(addresses.some((address) => address.startsWith('ws') && address.includes('ticket=')));
});
