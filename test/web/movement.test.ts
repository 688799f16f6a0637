/** A table that is scrolled and a chart that is moved: what is used again on the way must show the right thing at rest. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { openStore } from '../../src/store/store.js';
import { noBrowser, openPage } from '../support/browser.js';
import { startGatelm } from '../support/gatelm-server.js';
import { temporaryFolder } from '../support/service.js';

const skip = noBrowser();
const EXPERIMENTS = 100;
const POINTS = 400;

/** Experiments that have ended, with curves. */
function filledFolder(folder: string): string {
  const store = openStore(join(folder, 'gatelm.sqlite'));
  const { name: _, tags: __, notes, priority, ...config } = resolveExperimentInput({});
  store.transaction(() => {
    for (let index = 1; index <= EXPERIMENTS; index++) {
      const { number } = store.experiments.insert({
        ...{ id: idOf(index), name: `run ${index}`, tags: [], notes, priority, config },
        ...{ state: 'succeeded', parentId: null, createdAt: new Date(index * 1000).toISOString() },
      });
      for (let step = 1; step <= POINTS; step++)
        store.metrics.addPoints(
          number,
          { step, epoch: step, time: step * 1000 },
          { validPerplexity: 100 + (step % 7) },
        );
    }
  });
  store.close();
  return folder;
}

const idOf = (index: number) => `exp-${String(index).padStart(6, '0')}`;

interface Row {
  readonly name: string;
  readonly place: number;
  readonly top: number;
}

/** In the order of the document, in the next frame. */
function rowsOf(page: Page): Promise<Row[]> {
  return page.evaluate(`new Promise(requestAnimationFrame).then(() =>
    [...document.querySelectorAll('.table-rows > .row')].map((row) => ({
      name: row.querySelector('.cell-name a').textContent,
      place: Number(row.getAttribute('aria-rowindex')) - 1,
      top: row.offsetTop,
    })))`);
}

const inOrder = (rows: readonly Row[]) =>
  rows.every(({ place }, index) => index === 0 || place === rows[index - 1]!.place + 1);

test('rows of a table that was scrolled show the right experiments, in order, and none keeps another’s focus', {
  skip,
}, async (t) => {
  const server = await startGatelm(t, filledFolder(temporaryFolder(t)));
  const { page, expectNoErrors } = await openPage(t, server.address);
  await page.getByText(`${EXPERIMENTS} of ${EXPERIMENTS}`).waitFor();
  await page.getByLabel('Select run 100', { exact: true }).focus();
  const scrollTo = (top: number) =>
    page.evaluate(`document.querySelector('.table-scroller').scrollTo(0, ${top})`);
  for (const top of [300, 1500, 1700, 3000, 4500]) {
    await scrollTo(top);
    await page.locator(`.row[aria-rowindex="${Math.floor(top / 64) + 3}"]`).waitFor();
  }
  let rows = await rowsOf(page);
  while (!inOrder(rows)) rows = await rowsOf(page); // it comes to rest
  assert.ok(rows.length < 40, `${rows.length} rows are drawn`);
  for (const { name, place, top } of rows) {
    assert.equal(name, `run ${EXPERIMENTS + 1 - place}`);
    assert.equal(top, (place - 1) * 64);
  }
  assert.equal(await page.evaluate('document.activeElement.tagName'), 'BODY');
  await scrollTo(0);
  await page.getByLabel('Select run 100', { exact: true }).waitFor();
  expectNoErrors();
});

test('a chart that is moved is a picture on the way, and is drawn where it is left', { skip }, async (t) => {
  const server = await startGatelm(t, filledFolder(temporaryFolder(t)));
  const ids = `${idOf(1)},${idOf(2)}`;
  const { page, expectNoErrors } = await openPage(t, `${server.address}/#/compare?ids=${ids}`);
  const chart = page.locator('.chart-canvas[data-drawn]');
  await page.locator('.legend-entry b').filter({ hasText: /\d/ }).nth(1).waitFor(); // the curves are there
  await chart.focus();
  await page.keyboard.press('+');
  await page.getByRole('button', { name: 'Show all' }).waitFor();
  const box = (await page.locator('.u-over').boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.keyboard.down('Shift');
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 50, y);
  const picture = page.locator('.chart-moving .uplot');
  const place = async () => (await picture.boundingBox())!.x;
  const before = await place();
  await page.mouse.move(x + 90, y);
  assert.ok(Math.abs((await place()) - before - 40) < 1, 'it moves with the pointer');
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await picture.waitFor({ state: 'detached' });
  expectNoErrors();
});
