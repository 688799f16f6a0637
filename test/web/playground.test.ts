/** Which model writes and scores in the playground, and what is stopped. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { noBrowser, openPage } from '../support/browser.js';
import { REPOSITORY } from '../support/gatelm-server.js';
import { holdRequests } from '../support/hold-requests.js';
import { startService } from '../support/service.js';

const skip = noBrowser();
const dashboardFolder = join(REPOSITORY, 'dist', 'dashboard');
const SESSIONS = /\/sessions$/;
const GENERATE = /\/generate$/;
const SCORE = /\/score\?inspect=true$/;

interface Scored {
  readonly experiment: string;
  readonly text: string;
}

/** The playground of a service with trained models of these names. */
async function openPlayground(t: TestContext, ...names: string[]) {
  const { app, address } = await startService(t, { dashboardFolder, plays: true });
  const ids: string[] = [];
  for (const name of names) {
    const payload = { preset: 'rnnlm', name };
    ids.push((await app.inject({ method: 'POST', url: '/experiments', payload })).json().id);
  }
  const { page, expectNoErrors } = await openPage(t, `${address}/#/experiments`);
  await page
    .locator('.state-succeeded')
    .nth(names.length - 1)
    .waitFor();
  const sent: string[] = [];
  const scored: Scored[] = [];
  page.on('request', (request) => {
    sent.push(request.url());
    if (SCORE.test(request.url())) scored.push(request.postDataJSON() as Scored);
  });
  const countOf = (path: RegExp) => sent.filter((url) => path.test(url)).length;
  await page.goto(`${address}/#/playground?experiment=${ids[0]}`);
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  return { page, ids, scored, countOf, button, expectNoErrors };
}

test('a text is scored by the model that wrote it; another model begins anew', { skip }, async (t) => {
  const { page, ids, scored, button, expectNoErrors } = await openPlayground(t, 'first', 'second');
  const [first, second] = ids;
  const click = async (name: string) => {
    await Promise.all([page.waitForResponse(SCORE), button(name).click()]);
    await page.locator('.token').first().waitFor();
  };
  const model = page.getByRole('combobox', { name: 'Model' });

  const release = await holdRequests(page, SCORE);
  await Promise.all([page.waitForRequest(SCORE), button('Write').click()]);
  await button('Write on').waitFor();
  await model.selectOption(second!);
  await button('Write on').waitFor({ state: 'hidden' });
  await page.getByText('What the model writes comes here.').waitFor();
  release();
  await click('Write');
  await click('Write on');
  assert.deepEqual(
    scored.map(({ experiment }) => experiment),
    [first, second, second],
  );

  // The best one may be another by the time that the text is scored.
  await model.selectOption('The best one');
  const session = page.waitForResponse(SESSIONS);
  await click('Write');
  const { experimentId } = (await (await session).json()) as { experimentId: string };
  assert.equal(scored.at(-1)!.experiment, experimentId);
  expectNoErrors();
});

test('a stop holds while a session is made, and of two runs the later one stays', { skip }, async (t) => {
  const { page, button, scored, countOf, expectNoErrors } = await openPlayground(t, 'one');
  const releaseSession = await holdRequests(page, SESSIONS);
  await Promise.all([page.waitForRequest(SESSIONS), button('Write').click()]);
  await button('Stop').click();
  await button('Write').waitFor();
  releaseSession();

  const releaseText = await holdRequests(page, GENERATE);
  const releaseScore = await holdRequests(page, SCORE);
  const prompt = page.getByLabel('Prompt');
  await Promise.all([page.waitForRequest(GENERATE), prompt.press('Control+Enter')]);
  await prompt.press('Control+Enter');
  await Promise.all([page.waitForRequest(SCORE), releaseText()]);
  assert.deepEqual([countOf(SESSIONS), countOf(GENERATE)], [2, 1], 'one was stopped, and one wrote');

  const cancelled = page.waitForEvent('requestfailed', (request) => SCORE.test(request.url()));
  await button('Write on').click();
  await cancelled;
  releaseScore();
  await page.locator('.token').first().waitFor();
  assert.deepEqual(
    scored.map(({ text }) => text),
    ['The  and so on', 'The  and so on and so on'],
  );
  expectNoErrors();
});
