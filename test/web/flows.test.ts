/** What people do with the dashboard, one after the other, on a real server; each page has to satisfy axe, light and dark. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { expectAccessible, noBrowser, openPage } from '../support/browser.js';
import { startGatelm } from '../support/gatelm-server.js';
import { shortTraining, uploadTinyCorpus } from '../support/live-training.js';
import { temporaryFolder } from '../support/service.js';

const skip = noBrowser();
const TEXT = 'the cat sat on the mat and the dog lay on the rug while the bird sang in the tree\n'.repeat(
  300,
);

test('one uploads a text, trains on it, forks, compares, writes and looks inside', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const server = await startGatelm(t, join(folder, 'data'));
  const { page, expectNoErrors } = await openPage(t, `${server.address}/#/corpora`);
  const file = join(folder, 'My text.txt');
  writeFileSync(file, TEXT);

  await page.getByLabel('Text file').setInputFiles(file);
  await page.getByLabel('Name').fill('tiny');
  await page.getByRole('button', { name: 'Upload a text' }).click();
  await page.getByRole('heading', { name: 'tiny' }).waitFor();
  await page.locator('.preview').filter({ hasText: 'the cat sat' }).waitFor();
  await page.getByRole('button', { name: 'Compare all tokenizers' }).click();
  await page.getByRole('combobox', { name: 'Tokenizer' }).selectOption('byte-pair');
  await page.getByRole('row', { name: /^byte-pair [\d,]+/ }).waitFor();
  await page.getByLabel('Vocabulary at most').fill('300');
  await page.getByRole('button', { name: 'Count', exact: true }).click();
  await page.getByRole('row', { name: /^byte-pair, 300 [\d,.]+/ }).waitFor();
  await expectAccessible(page);

  await page.getByRole('link', { name: 'New experiment' }).click();
  await page.getByRole('radio', { name: 'rnnlm One', exact: false }).check();
  await page.getByLabel('name', { exact: true }).fill('made by hand');
  await page.getByLabel('corpus', { exact: true }).fill('tiny');
  await page.locator('summary', { hasText: 'Model' }).click();
  await page.getByLabel('embeddingSize', { exact: true }).fill('many');
  await page.locator('.field-error', { hasText: 'many' }).waitFor();
  await page.getByLabel('embeddingSize', { exact: true }).fill('8');
  await page.getByLabel('hiddenSizes', { exact: true }).fill('8');
  await page.locator('.estimate dl').waitFor();
  assert.match((await page.locator('.copyable').textContent())!, /"hiddenSizes":\[8\]/);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.locator('.run-subtitle .state-succeeded').waitFor({ timeout: 60_000 });
  await expectAccessible(page);

  const download = page.waitForEvent('download');
  await page.getByRole('tab', { name: 'Checkpoints and export' }).click();
  await page.getByRole('button', { name: 'Metrics as CSV' }).click();
  assert.match(readFileSync(await (await download).path(), 'utf8'), /^key,step,epoch,time,value\n/);

  // What the form sends is made of its fields: it waits for them, however late they come.
  await page.route('**/openapi.json', async (route) => {
    await delay(1000);
    await route.continue();
  });
  await page.getByRole('link', { name: 'Fork' }).click();
  await page.getByRole('button', { name: 'Fork' }).click();
  await page.getByRole('heading', { name: 'made by hand, fork' }).waitFor();
  await page.locator('.run-subtitle .state-succeeded').waitFor({ timeout: 60_000 });

  await page.getByRole('link', { name: 'Experiments', exact: true }).click();
  await page.getByRole('button', { name: 'Compare all with made by hand', exact: true }).click();
  await page.getByLabel('Select all').check();
  await page.getByRole('link', { name: 'Compare' }).last().click();
  await page.getByRole('row', { name: /made by hand succeeded .* baseline/ }).waitFor();
  await page.locator('.chart-canvas[data-drawn]').waitFor();
  await expectAccessible(page);
  const picture = page.waitForEvent('download');
  await page.getByRole('button', { name: 'SVG' }).click();
  assert.match(readFileSync(await (await picture).path(), 'utf8'), /^<svg .*made by hand, fork/s);

  await page.getByRole('link', { name: 'Playground' }).click();
  await page.getByLabel('Prompt').fill('the cat');
  await page.getByRole('button', { name: 'Two models' }).click();
  await page.getByRole('button', { name: 'Write', exact: true }).click();
  const panes = page.locator('.pane');
  await panes.nth(1).locator('.token').first().waitFor();
  await panes.first().locator('.token').nth(2).hover();
  await panes.first().locator('.alternatives li').nth(3).waitFor();
  const written = await panes.first().locator('.token-text').textContent();
  assert.equal(
    await panes.nth(1).locator('.token-text').textContent(),
    written,
    'the same model, the same seed',
  );
  await page.getByRole('button', { name: 'Write on' }).click();
  for (const pane of [panes.first(), panes.nth(1)])
    while ((await pane.locator('.token-text').textContent())!.length <= written!.length);
  await expectAccessible(page);

  await page.getByRole('link', { name: 'Inspector' }).click();
  await page.getByLabel('Text').fill('the cat sat on the mat');
  await page.getByRole('button', { name: 'Look inside' }).click();
  await page.locator('.heat-map').focus();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('button', { name: 'Where in the corpus is this unit active?' }).click();
  await page.locator('.places mark').first().waitFor();
  await page.getByRole('button', { name: 'Switch unit 0 off' }).click();
  await page.getByText(/^Mean surprisal [\d.]+ → [\d.]+ nats/).waitFor();
  await page.getByRole('heading', { name: 'What became more or less surprising' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Switch unit 0 on' }).first().click();
  await page.getByRole('heading', { name: 'How surprising each token was' }).waitFor();
  await expectAccessible(page);

  await page.getByRole('link', { name: 'Machine' }).click();
  await page.getByText('Slots in use').waitFor();
  await expectAccessible(page);
  // The form was wrong on purpose: its 400 is in the console.
  expectNoErrors(/status of 400/);
});

/** Two trials of a moment. */
async function startSweep(address: string): Promise<void> {
  const response = await fetch(`${address}/sweeps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'two rates',
      corpus: 'tiny',
      base: {
        model: { embeddingSize: 8, hiddenSizes: [8] },
        training: { epochs: 2, batchSize: 4, bpttLength: 10 },
      },
      space: { 'optimizer.learningRate': { type: 'choice', values: [1, 10] } },
      strategy: { type: 'grid' },
      limits: { experiments: 2 },
    }),
  });
  assert.equal(response.status, 201, await response.text());
}

test('a sweep is watched until it has tried all, and leads to its experiments', { skip }, async (t) => {
  const server = await startGatelm(t, temporaryFolder(t));
  const { page, expectNoErrors } = await openPage(t, `${server.address}/#/sweeps`);
  await page.getByText('No sweep yet').waitFor();
  await expectAccessible(page);
  await uploadTinyCorpus(server);
  await startSweep(server.address);
  await page.getByRole('link', { name: 'Experiments', exact: true }).click();
  await page.getByRole('link', { name: 'Sweeps' }).click();
  await page.getByText('finished · 2 of 2 trials').waitFor();
  assert.equal(await page.locator('.parallel polyline').count(), 2);
  assert.equal(await page.locator('.scatter circle').count(), 2);
  await page.locator('.trial-link').nth(1).waitFor();
  await expectAccessible(page);
  await page.locator('.trial-link').first().click();
  await page.locator('.run-subtitle .state-succeeded').waitFor();
  expectNoErrors();
});

test('all pages satisfy axe in the dark, on a narrow screen and in Japanese', { skip }, async (t) => {
  const server = await startGatelm(t, temporaryFolder(t));
  await uploadTinyCorpus(server);
  const { id } = await shortTraining(server, 'narrow and dark');
  await startSweep(server.address);
  const { page, expectNoErrors } = await openPage(t, server.address, {
    viewport: { width: 380, height: 800 },
    colorScheme: 'dark',
    locale: 'ja-JP',
  });
  await page.getByRole('heading', { name: '実験' }).waitFor();
  const paths = [
    ['experiments', 'narrow and dark'],
    [`experiments/${id}`, '検証パープレキシティ（最良）'],
    ['new', '見積もり'],
    [`compare?ids=${id}`, '最良値'],
    ['sweeps', '試行の一覧'],
    ['playground', 'サンプリング'],
    ['inspector', '内部を見る'],
    ['corpora/tiny', 'テキストの冒頭'],
    ['machine', '学習プロセス'],
  ] as const;
  for (const [path, text] of paths) {
    await page.goto(`${server.address}/#/${path}`);
    await page.getByText(text).first().waitFor();
    await expectAccessible(page);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    assert.ok(Number(overflow) <= 0, `${path} is ${overflow} pixels too wide`);
    const link = await page.locator('.nav-link[aria-current]').boundingBox();
    assert.ok(link && link.x >= 0 && link.x + link.width <= 380, `the link of ${path} is in sight`);
  }
  expectNoErrors();
});
