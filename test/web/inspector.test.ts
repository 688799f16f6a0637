/** What the inspector shows is of one model, one layer and one reading. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { noBrowser, openPage } from '../support/browser.js';
import { REPOSITORY } from '../support/gatelm-server.js';
import { holdRequests } from '../support/hold-requests.js';
import { startService } from '../support/service.js';

const dashboardFolder = join(REPOSITORY, 'dist', 'dashboard');
const SCORE = /\/score\?inspect=true$/;
const LIST = /\/experiments\?limit=200$/;

interface Asked {
  readonly experiment: string;
  readonly text: string;
  readonly units?: readonly { readonly layer: number; readonly unit: number }[];
  readonly ablate?: unknown;
}

/** One token, with two layers inside. */
function scoreOf({ text, units = [] }: Asked) {
  const layers = [0, 1].map(() => ({ hidden: { mean: 0, min: -1, max: 1 } }));
  const inside = { layers, units: units.map((one) => ({ ...one, hidden: 0.5 })), alternatives: [] };
  return { tokens: [{ token: text, start: 0, end: text.length, surprisal: 1, inside }] };
}

test('the inspector waits for the sizes of the layers, and forgets what belongs to another model', {
  skip: noBrowser(),
}, async (t) => {
  const { app, address } = await startService(t, { dashboardFolder, plays: true });
  const train = async (name: string, hiddenSizes: readonly number[]) => {
    const payload = { preset: 'rnnlm', name, model: { embeddingSize: 8, hiddenSizes } };
    return (await app.inject({ method: 'POST', url: '/experiments', payload })).json().id as string;
  };
  const deep = await train('deep', [8, 6]);
  const other = await train('other', [8, 8]);
  const { page, expectNoErrors } = await openPage(t, 'about:blank');
  const asked: Asked[] = [];
  await page.route(SCORE, (route) => {
    const body = route.request().postDataJSON() as Asked;
    asked.push(body);
    return route.fulfill({ json: scoreOf(body) });
  });

  const releaseList = await holdRequests(page, LIST);
  await page.goto(`${address}/#/inspector?experiment=${deep}`);
  const look = page.getByRole('button', { name: 'Look inside' });
  await look.waitFor();
  assert.ok(await look.isDisabled(), 'the sizes of the layers are not known yet');
  releaseList();
  await page.getByLabel('Text').fill('the cat sat');
  await look.click();
  await page.locator('.heat-map').focus();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('button', { name: 'Switch unit 0 off' }).click();
  await page.getByText(/^Mean surprisal/).waitFor();
  const allOn = page.getByRole('button', { name: 'All on' });
  const layer = (number: number) => page.getByRole('button', { name: `Layer ${number}`, exact: true });

  const releaseScores = await holdRequests(page, SCORE);
  await Promise.all([page.waitForRequest(SCORE), layer(2).click()]);
  await page.locator('.ablated .tag:disabled').waitFor();
  assert.ok(await allOn.isDisabled(), 'it would end the reading of the other layer');
  releaseScores();
  await page.locator('.ablated .tag:enabled').waitFor();
  assert.deepEqual(
    asked.map(({ units, ablate }) => [units?.[0]?.layer, units?.length, ablate !== undefined]),
    [
      [0, 8, false],
      [undefined, undefined, true],
      [1, 6, false],
      [undefined, undefined, true],
    ],
  );

  const problem = { code: 'busy', detail: 'Busy' };
  await page.route(SCORE, (route) => route.fulfill({ status: 429, json: problem }), { times: 1 });
  await layer(1).click();
  await page.getByRole('alert').filter({ hasText: 'Busy' }).waitFor();
  assert.equal(await layer(2).getAttribute('aria-pressed'), 'true', 'the layer that is still shown');

  await page.getByRole('combobox', { name: 'Model' }).selectOption(other);
  await page.locator('.heat-map').waitFor({ state: 'hidden' });
  await page.getByRole('alert').waitFor({ state: 'hidden' });
  asked.length = 0;
  await look.click();
  await page.locator('.heat-map').waitFor();
  assert.deepEqual(
    asked.map(({ experiment, units, ablate }) => [experiment, units?.[0]?.layer, ablate]),
    [[other, 0, undefined]],
  );
  assert.equal(await page.locator('.ablated').count(), 0);
  expectNoErrors(/status of 429/);
});
