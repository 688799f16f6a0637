/** One watches a training: it is in the table, its curves grow, a lost connection comes back, verbs work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Request } from 'playwright-core';
import { createDeferred } from '../../src/compute/deferred.js';
import { expectAccessible, noBrowser, openPage } from '../support/browser.js';
import { startGatelm } from '../support/gatelm-server.js';
import { endlessConfig, uploadTinyCorpus } from '../support/live-training.js';
import { temporaryFolder } from '../support/service.js';

const skip = noBrowser();

test('a training is watched live, paused, resumed and cancelled', { skip }, async (t) => {
  const server = await startGatelm(t, temporaryFolder(t));
  const { page, expectNoErrors } = await openPage(t, server.address);
  await page.getByText('No experiment yet').waitFor();
  await expectAccessible(page);

  await uploadTinyCorpus(server);
  const { id } = await server.train(endlessConfig('a live one'));
  const row = page.getByRole('row', { name: /a live one/ });
  await row.getByText('running').waitFor();
  await row.locator('.sparkline polyline').waitFor();
  await expectAccessible(page);

  await row.getByRole('link', { name: 'a live one' }).click();
  await page.getByText('live', { exact: true }).waitFor();
  const progress = page.locator('.run-progress');
  const goesOn = async () => progress.filter({ hasNotText: (await progress.textContent())! }).waitFor();
  await goesOn();
  await page.locator('.chart-canvas[data-drawn]').first().waitFor();
  await page.getByRole('tab', { name: 'Events' }).click();
  await page.locator('.event-checkpoint').first().waitFor();
  await expectAccessible(page);

  await page.getByRole('button', { name: 'Name, tags and notes' }).click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('a renamed one');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  const renamed = page.getByRole('heading', { name: 'a renamed one' });
  await renamed.waitFor();
  await goesOn();
  assert.ok(await renamed.isVisible(), 'events do not bring the old name back');

  await page.getByRole('button', { name: 'Pause' }).click();
  await page.locator('.run-subtitle .state-paused').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.locator('.run-subtitle .state-running').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.run-subtitle .state-cancelled').waitFor();

  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No experiment yet').waitFor();
  await assert.rejects(server.get(`/experiments/${id}`), /404/);
  expectNoErrors();
});

test('what is queued is put in another order', { skip }, async (t) => {
  const server = await startGatelm(t, temporaryFolder(t), { GATELM_TRAINING_SLOTS: '1' });
  await uploadTinyCorpus(server);
  for (const name of ['running', 'first', 'second', 'third']) await server.train(endlessConfig(name));
  const { page, expectNoErrors } = await openPage(t, server.address);
  const place = (name: string, position: number) =>
    page
      .getByRole('row', { name: new RegExp(` ${name} `) })
      .getByText(`no. ${position} in queue`)
      .waitFor();
  await place('third', 3);
  await page.getByRole('button', { name: 'Start third earlier' }).click();
  await place('third', 2);
  await place('second', 3);
  await page.getByRole('button', { name: 'Start third earlier' }).click();
  await place('third', 1);
  await place('first', 2);
  await page.getByRole('button', { name: 'Start first later' }).click();
  await place('first', 3);

  // Two moves at once: the second begins where the first has ended, though nothing has changed on the page when it is asked for.
  const isEdit = (request: Request) => request.method() === 'PATCH';
  const held = createDeferred<void>();
  await page.route(/experiments/, async (route) => {
    if (isEdit(route.request())) await held.promise;
    await route.continue();
  });
  const edit = page.waitForRequest(isEdit);
  await page.getByRole('button', { name: 'Start first earlier' }).click();
  await edit;
  await page.getByRole('button', { name: 'Start first earlier' }).click();
  held.resolve();
  await place('first', 1);
  await place('third', 2);
  await place('second', 3);
  await expectAccessible(page);
  expectNoErrors();
});
