/** Answers that are late, or come in another order than they were asked for. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { createDeferred } from '../../src/compute/deferred.js';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { openStore } from '../../src/store/store.js';
import { noBrowser, openPage } from '../support/browser.js';
import { startGatelm } from '../support/gatelm-server.js';
import { holdRequests } from '../support/hold-requests.js';
import { uploadTinyCorpus } from '../support/live-training.js';
import { temporaryFolder } from '../support/service.js';

const skip = noBrowser();
const ID = 'exp-000001';
const PERPLEXITIES = [400, 300, 200, 100];
/** Before the whole list is read again, which is each minute. */
const SOON_MS = 30_000;

/** One training that has ended, with its epochs. */
function filledFolder(folder: string): string {
  const store = openStore(join(folder, 'gatelm.sqlite'));
  const { name: _, tags: __, notes, priority, ...config } = resolveExperimentInput({});
  store.transaction(() => {
    const { number } = store.experiments.insert({
      ...{ id: ID, name: 'ends soon', tags: [], notes, priority, config },
      ...{ state: 'succeeded', parentId: null, createdAt: new Date(0).toISOString() },
    });
    PERPLEXITIES.forEach((validPerplexity, index) => {
      const step = index + 1;
      store.metrics.addPoints(number, { step, epoch: step, time: step * 1000 }, { validPerplexity });
    });
  });
  store.close();
  return folder;
}

/** Makes the training one that runs until its series were read for the first time, the last epoch not among them. */
async function endAfterFirstRead(page: Page): Promise<void> {
  const firstRead = createDeferred<void>();
  let hasEnded = false;
  await page.route(
    ({ pathname }) => pathname === '/experiments',
    async (route) => {
      const response = await route.fetch();
      const { items, ...rest } = (await response.json()) as { items: object[] };
      const running = items.map((one) => ({ ...one, state: 'running', seq: 8 }));
      await route.fulfill({ response, json: { ...rest, items: hasEnded ? [] : running } });
    },
  );
  await page.route(
    ({ pathname }) => pathname === `/experiments/${ID}/metrics`,
    async (route) => {
      const response = await route.fetch();
      const { series, ...rest } = (await response.json()) as { series: { validPerplexity: object[] } };
      const validPerplexity = hasEnded ? series.validPerplexity : series.validPerplexity.slice(0, -1);
      await route.fulfill({ response, json: { ...rest, series: { ...series, validPerplexity } } });
      hasEnded = true;
      firstRead.resolve();
    },
  );
  await page.route(
    ({ pathname }) => pathname === `/experiments/${ID}`,
    async (route) => {
      await firstRead.promise;
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), seq: 9 } });
    },
  );
}

test('the last epoch of a training that ends soon after a read is in the list and in the comparison', {
  skip,
}, async (t) => {
  const server = await startGatelm(t, filledFolder(temporaryFolder(t)));
  const inList = async () => {
    const { page, expectNoErrors } = await openPage(t, `${server.address}/#/machine`);
    await endAfterFirstRead(page);
    await page.goto(`${server.address}/#/experiments`);
    const curve = page.locator('.sparkline polyline');
    const points = async () => (await curve.getAttribute('points'))!.split(' ').length;
    for (const start = Date.now(); (await points()) < PERPLEXITIES.length; )
      assert.ok(Date.now() - start < SOON_MS, 'the curve of the list has no last epoch');
    expectNoErrors();
  };
  const inComparison = async () => {
    const { page, expectNoErrors } = await openPage(t, `${server.address}/#/machine`);
    await endAfterFirstRead(page);
    await page.goto(`${server.address}/#/compare?ids=${ID}`);
    const figure = page.locator('.legend-entry b');
    await figure.filter({ hasText: '200' }).waitFor();
    await figure.filter({ hasText: '100' }).waitFor({ timeout: SOON_MS });
    expectNoErrors();
  };
  await Promise.all([inList(), inComparison()]);
});

test('of two splits chosen quickly the second is shown, though the first answers last', {
  skip,
}, async (t) => {
  const server = await startGatelm(t, temporaryFolder(t));
  await uploadTinyCorpus(server);
  const { page } = await openPage(t, `${server.address}/#/corpora/tiny`);
  const preview = page.locator('.preview');
  await preview.filter({ hasText: 'the cat' }).waitFor();
  const shown = createDeferred<void>();
  await page.route(/\/preview\?/, async (route) => {
    const split = new URL(route.request().url()).searchParams.get('split')!;
    if (split === 'valid') await shown.promise;
    await route.fulfill({ json: { id: 'tiny', split, text: `this is ${split}`, truncated: false } });
  });
  const dropped = page.waitForEvent('requestfailed');
  await page.getByRole('button', { name: 'valid', exact: true }).click();
  await page.getByRole('button', { name: 'test', exact: true }).click();
  await preview.filter({ hasText: 'this is test' }).waitFor();
  assert.match((await dropped).url(), /split=valid/, 'nobody waits for the first');
  shown.resolve();
});

test('an upload that ends on another page leaves one there', { skip }, async (t) => {
  const server = await startGatelm(t, temporaryFolder(t));
  const { page, expectNoErrors } = await openPage(t, `${server.address}/#/corpora`);
  const left = createDeferred<void>();
  await page.route(
    ({ pathname }) => pathname === '/corpora',
    async (route) => {
      if (route.request().method() === 'POST') await left.promise;
      await route.continue();
    },
  );
  const buffer = Buffer.from('the cat sat on the mat and the dog lay on the rug\n'.repeat(200));
  await page.getByLabel('Text file').setInputFiles({ name: 'cat.txt', mimeType: 'text/plain', buffer });
  await page.getByRole('button', { name: 'Upload a text' }).click();
  await page.locator('.upload-fields:disabled').waitFor();
  await page.getByRole('link', { name: 'Machine' }).click();
  await page.getByText('Slots in use').waitFor();
  left.resolve();
  await page.getByText('cat is ready').waitFor();
  assert.match(page.url(), /#\/machine$/);
  expectNoErrors();
});

test('the form for a text comes with the list above it, not before', { skip }, async (t) => {
  const server = await startGatelm(t, join(temporaryFolder(t), 'data'));
  const { page, expectNoErrors } = await openPage(t, `${server.address}/#/machine`);
  const release = await holdRequests(page, /\/corpora$/);
  await page.goto(`${server.address}/#/corpora`);
  await page.getByRole('heading', { name: 'Corpora' }).waitFor();
  assert.equal(await page.getByLabel('Text file').count(), 0);
  release();
  await page.getByLabel('Text file').waitFor();
  assert.ok((await page.locator('.corpus').count()) > 0);
  expectNoErrors();
});
