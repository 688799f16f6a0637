/**
 * Pictures of every page, from a real run: node dist/test/web/screenshots.js FOLDER [ADDRESS]
 * Without an address it starts a server of its own and trains three small models first, which takes some minutes.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { Experiment } from '../../src/contracts/experiment.js';
import type { Sweep } from '../../src/contracts/sweep-view.js';
import { browserPath, launchBrowser } from '../support/browser.js';
import { startGatelm } from '../support/gatelm-server.js';

const [folder = 'screenshots', givenAddress] = process.argv.slice(2);

/** How pages are looked at. */
const LOOKS = {
  light: { viewport: { width: 1280, height: 860 }, colorScheme: 'light', locale: 'en-US' },
  dark: { viewport: { width: 1280, height: 860 }, colorScheme: 'dark', locale: 'en-US' },
  narrow: { viewport: { width: 380, height: 820 }, colorScheme: 'light', locale: 'en-US' },
  japanese: { viewport: { width: 1280, height: 860 }, colorScheme: 'light', locale: 'ja-JP' },
} as const;

const SMALL = { corpus: 'handbook', tokenizer: { type: 'word', vocabularySize: 2000 } };
const TRAININGS = [
  { name: 'one layer, SGD', tags: ['baseline'], model: { embeddingSize: 64, hiddenSizes: [64] } },
  {
    name: 'two layers, tied',
    tags: ['tied'],
    model: { embeddingSize: 96, hiddenSizes: [96, 96], tieWeights: true },
  },
  {
    name: 'one layer, Adam',
    tags: ['adam'],
    model: { embeddingSize: 64, hiddenSizes: [64] },
    optimizer: { type: 'adam', learningRate: 0.003 },
  },
];
const POLL_MS = 1000;

const cleanups: (() => unknown)[] = [];
try {
  if (!browserPath()) throw new Error('there is no Chromium; GATELM_CHROMIUM names one');
  mkdirSync(folder, { recursive: true });
  const address = givenAddress ?? (await trainSmallModels());
  const browser = await launchBrowser();
  cleanups.push(() => browser.close());
  await takeAll(browser, address);
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}

async function trainSmallModels(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatelm-screenshots-'));
  cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const server = await startGatelm({ after: (cleanup) => cleanups.push(cleanup as () => unknown) }, dataDir);
  const [live, ...finished] = TRAININGS.toReversed();
  for (const training of finished) {
    const { id } = await server.train({ ...SMALL, ...training });
    await until(async () => (await server.get<Experiment>(`/experiments/${id}`)).state === 'succeeded');
  }
  const sweep = await startSweep(server.address);
  await until(async () => (await server.get<Sweep>(`/sweeps/${sweep}`)).state === 'finished');
  const { id } = await server.train({ ...SMALL, ...live, training: { epochs: 100 } });
  await until(async () => (await server.get<Experiment>(`/experiments/${id}`)).best.epoch !== null);
  return server.address; // the last one is still training: it is seen live
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resume) => setTimeout(resume, POLL_MS));
}

/** A dozen trials of few steps. @returns its id */
async function startSweep(address: string): Promise<string> {
  const training = { epochs: 3 };
  const body = {
    name: 'rates and dropout',
    corpus: 'tiny',
    base: { model: { embeddingSize: 24, hiddenSizes: [24] }, training },
    space: {
      'optimizer.learningRate': { type: 'log-uniform', low: 0.5, high: 40 },
      'model.dropout.output': { type: 'uniform', low: 0, high: 0.6 },
      'training.batchSize': { type: 'choice', values: [5, 10, 20] },
    },
    strategy: { type: 'random' },
    stopping: { type: 'asha' },
    limits: { experiments: 12 },
  };
  const headers = { 'content-type': 'application/json' };
  const text = 'the cat sat on the mat and the dog lay on the rug while the bird sang in the tree\n'.repeat(
    500,
  );
  await fetch(`${address}/corpora?name=tiny`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: text,
  });
  const response = await fetch(`${address}/sweeps`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return ((await response.json()) as { id: string }).id;
}

async function takeAll(browser: Browser, address: string): Promise<void> {
  const response = await fetch(`${address}/experiments?sort=created&limit=50`);
  const { items } = (await response.json()) as { items: Experiment[] };
  const trained = items.filter(({ best, config }) => best.epoch !== null && config.corpus !== 'tiny');
  const [first] = trained;
  if (!first) throw new Error('no experiment has finished an epoch');
  const ids = trained.map(({ id }) => id).join(',');
  const pages: readonly (readonly [name: string, hash: string, ready: string])[] = [
    ['experiments', 'experiments', '.sparkline polyline'],
    ['experiment', `experiments/${first.id}`, '.chart-canvas[data-drawn]'],
    ['new', 'new', '.estimate dl'],
    ['compare', `compare?ids=${ids}`, '.chart-canvas[data-drawn]'],
    ['sweeps', 'sweeps', '.parallel polyline'],
    ['playground', `playground?experiment=${first.id}`, '.sampling'],
    ['inspector', `inspector?experiment=${first.id}`, '.inspector-form'],
    ['corpora', 'corpora/handbook', '.corpus'],
    ['machine', 'machine', '.machine dl'],
  ];
  for (const [look, options] of Object.entries(LOOKS)) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    for (const [name, hash, ready] of pages) {
      await page.goto(`${address}/#/${hash}`);
      await page.locator(ready).first().waitFor({ state: 'attached' }); // a narrow table has no curves in sight
      await use(page, name);
      await page.screenshot({ path: join(folder, `${name}-${look}.png`) });
      console.log(`${name}, ${look}`);
    }
    await context.close();
  }
  await takeInspector(browser, `${address}/#/inspector?experiment=${first.id}`);
}

/** The picture of the documentation: a unit over a text, and where in the corpus it is active. */
async function takeInspector(browser: Browser, address: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1360 }, locale: 'en-US' });
  await page.goto(address);
  await page.locator('.inspector-form .button-primary').click();
  await page.locator('.heat-map canvas').waitFor();
  await page.locator('.token').nth(4).hover();
  await page.locator('.heat-map').focus();
  for (let unit = 0; unit < 31; unit++) await page.keyboard.press('ArrowDown');
  await page.getByRole('button', { name: 'Where in the corpus is this unit active?' }).press('Enter');
  await page.locator('.places mark').first().waitFor();
  await page.screenshot({ path: join(folder, 'inspector.png') });
  console.log('inspector, for the documentation');
}

/** Pages that show little until something is asked of them. */
async function use(page: Page, name: string): Promise<void> {
  if (name === 'playground') {
    await page.locator('.playground-actions .button-primary').click();
    await page.locator('.token').nth(9).waitFor();
    await page.locator('.token').nth(9).hover();
  }
  if (name === 'inspector') {
    await page.locator('.inspector-form .button-primary').click();
    await page.locator('.heat-map canvas').waitFor();
    await page.locator('.token').nth(4).hover();
    await page.locator('.heat-map').focus();
    await page.keyboard.press('ArrowDown');
    await page.locator('.ablation button').first().click();
    await page.locator('.ablation-effect').waitFor();
  }
  if (name === 'corpora') {
    await page.locator('.token-count-form').waitFor();
    await page.getByRole('button', { name: /all tokenizers|すべてのトークナイザー/ }).click();
    await page.getByRole('row', { name: /^byte-pair/ }).waitFor();
  }
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
}
