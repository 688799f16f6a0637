/** What the page of a new experiment does with answers that are refusals, or late. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { noBrowser, openPage } from '../support/browser.js';
import { REPOSITORY } from '../support/gatelm-server.js';
import { holdRequests } from '../support/hold-requests.js';
import { startService } from '../support/service.js';

const skip = noBrowser();
const dashboardFolder = join(REPOSITORY, 'dist', 'dashboard');
const SUBMIT = /\/experiments$/;
const DRY_RUN = /\/experiments\?dryRun=true$/;

test('a refused submit is told until one types, and an unchanged body keeps its key', { skip }, async (t) => {
  const { address } = await startService(t, { dashboardFolder, environment: { maxQueued: 0 } });
  const { page, expectNoErrors } = await openPage(t, 'about:blank');
  const keys: string[] = [];
  page.on('request', (request) => {
    const key = request.headers()['idempotency-key'];
    if (key !== undefined) keys.push(key);
  });
  const releaseDryRun = await holdRequests(page, DRY_RUN);
  const dryRun = page.waitForRequest(DRY_RUN);
  await page.goto(`${address}/#/new?preset=rnnlm`);
  await dryRun;
  const train = page.getByRole('button', { name: 'Train', exact: true });
  const refusal = page.getByRole('alert').filter({ hasText: 'queue-full' });
  await train.click();
  await refusal.waitFor();
  releaseDryRun();
  await page.locator('.estimate dl').waitFor();
  assert.ok(await refusal.isVisible(), 'the dry run that ended later says nothing about the submit');
  await Promise.all([page.waitForResponse(SUBMIT), train.click()]);
  await refusal.waitFor();

  const name = page.getByLabel('name', { exact: true });
  await name.fill('another body');
  await refusal.waitFor({ state: 'hidden' });
  await train.click();
  await refusal.waitFor();
  assert.equal(keys.length, 3);
  assert.equal(keys[1], keys[0], 'the same body');
  assert.notEqual(keys[2], keys[0], 'another body');

  const problem = { code: 'rate-limited', detail: 'Too many requests; try again in 3 s' };
  await page.route(DRY_RUN, (route) => route.fulfill({ status: 429, json: problem }));
  await name.fill('one too many');
  await page.locator('.estimate').getByText(problem.detail).waitFor();
  expectNoErrors(/status of 429/);
});

test('a submit that ends after one has left the form is told, and leads nowhere', { skip }, async (t) => {
  const { address } = await startService(t, { dashboardFolder });
  const { page, expectNoErrors } = await openPage(t, 'about:blank');
  const release = await holdRequests(page, SUBMIT);
  await page.goto(`${address}/#/new?preset=rnnlm`);
  const sent = page.waitForRequest(SUBMIT);
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await sent;
  await page.getByRole('link', { name: 'Machine' }).click();
  await page.getByText('Slots in use').waitFor();
  release();
  await page.getByText(/ is queued$/).waitFor();
  assert.match(page.url(), /#\/machine$/);
  expectNoErrors();
});

test('nothing of a form or its problem stays while another parent is read', { skip }, async (t) => {
  const { address, app } = await startService(t, { dashboardFolder });
  const payload = { preset: 'rnnlm', name: 'a parent' };
  const { id } = (await app.inject({ method: 'POST', url: '/experiments', payload })).json();
  const { page, expectNoErrors } = await openPage(t, `${address}/#/new?fork=none-such`);
  await page.getByRole('alert').filter({ hasText: 'experiment-not-found' }).waitFor();
  await page.goto(`${address}/#/new?fork=${id}`);
  await page.getByRole('heading', { name: 'Fork of a parent' }).waitFor();
  await holdRequests(page, /\/experiments\/another$/);
  const asked = page.waitForRequest(/\/experiments\/another$/);
  await page.goto(`${address}/#/new?fork=another`);
  await asked;
  await page.getByRole('heading', { name: 'Fork of a parent' }).waitFor({ state: 'hidden' });
  expectNoErrors(/status of 404/);
});
