/**
 * What the dashboard costs in a browser: first load, a table of many experiments, a comparison of many long runs, and the
 * memory of a page that follows a training.
 *
 *     node dist/bench/dashboard.js [RESULTS_FILE] [SECONDS of the live run, 120]
 *
 * The browser draws in software, on the same cores as the server.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { resolveExperimentInput } from '../src/contracts/resolve-config.js';
import { openStore } from '../src/store/store.js';
import { launchBrowser } from '../test/support/browser.js';
import { panCompare, scrollTable, until } from './dashboard-frames.js';
import { endProcess, startServer } from './server-process.js';

const [resultsFile, liveSeconds = '120'] = process.argv.slice(2);
const EXPERIMENTS = 1000;
const COMPARED = 20;
const POINTS = 10_000;
const VIEWPORT = { width: 1440, height: 900 };
const LOADS = 5;
const SAMPLE_MS = 10_000;
const LIVE = {
  name: 'live',
  corpus: 'handbook',
  model: { embeddingSize: 64, hiddenSizes: [64] },
  training: { epochs: 100_000, batchSize: 20, bpttLength: 35 },
};
const CHART = '.chart-canvas[data-drawn]';
const READ_LOAD = `(() => {
  const files = performance.getEntriesByType('resource').filter(({ name }) => /\\.(js|css)$/.test(name));
  const paint = performance.getEntriesByType('paint').find(({ name }) => name === 'first-contentful-paint');
  return {
    files: files.length,
    scriptAndStyleBytes: files.reduce((sum, file) => sum + file.encodedBodySize, 0),
    uncompressedBytes: files.reduce((sum, file) => sum + file.decodedBodySize, 0),
    firstPaintMs: paint.startTime,
    firstDataMs: globalThis.firstDataMs,
  };
})()`;

const dataDir = mkdtempSync(join(tmpdir(), 'gatelm-dashboard-'));
fillStore(join(dataDir, 'gatelm.sqlite'));
const server = await startServer({ GATELM_DATA_DIR: dataDir, GATELM_RATE_LIMIT: '1000000' });
const browser = await launchBrowser();
try {
  const results = {
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores; ${browser.browserType().name()} ${browser.version()}, drawing in software`,
    date: new Date().toISOString(),
    loadBefore: loadavg()[0]!,
    firstLoad: await measureFirstLoad(browser),
    table: { experiments: EXPERIMENTS, ...(await onPage('experiments', '.row:not(.row-head)', scrollTable)) },
    compare: { runs: COMPARED, pointsEach: POINTS, ...(await onPage(comparison(), CHART, panCompare)) },
    live: await measureMemory(),
  };
  const text = `${JSON.stringify(results, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value), 2)}\n`;
  process.stdout.write(text);
  if (resultsFile) writeFileSync(resultsFile, text);
} finally {
  await browser.close();
  await endProcess(server.process);
  rmSync(dataDir, { recursive: true, force: true });
}

function comparison(): string {
  return `compare?ids=${Array.from({ length: COMPARED }, (_, index) => idOf(index + 1)).join(',')}`;
}

/** Experiments that have ended, the first ones with long curves. */
function fillStore(file: string): void {
  const store = openStore(file);
  const { name: _, tags: __, notes, priority, ...config } = resolveExperimentInput({});
  store.transaction(() => {
    for (let index = 1; index <= EXPERIMENTS; index++) {
      const { number } = store.experiments.insert({
        ...{ id: idOf(index), name: `run ${index}`, tags: [`group-${index % 7}`], notes, priority, config },
        ...{ state: 'succeeded', parentId: null, createdAt: new Date(index * 1000).toISOString() },
      });
      const perplexity = 100 + ((index * 7919) % 101);
      const latest = { trainPerplexity: perplexity, validPerplexity: perplexity };
      store.metrics.setLatest(number, { ...latest, epoch: 10, step: POINTS, learningRate: 20, gradNorm: 1 });
      for (let step = 1; step <= (index <= COMPARED ? POINTS : 50); step++) {
        const value = perplexity + 800 / Math.sqrt(step) + 20 * Math.sin(step * index);
        const moment = { step, epoch: step / 1000, time: step * 1000 };
        store.metrics.addPoints(number, moment, { stepPerplexity: value });
        if (step % 10 === 0) store.metrics.addPoints(number, moment, { validPerplexity: value - 5 });
      }
    }
  });
  store.close();
}

function idOf(index: number): string {
  return `exp-${String(index).padStart(6, '0')}`;
}

async function onPage<Result>(
  hash: string,
  ready: string,
  measure: (page: Page) => Promise<Result>,
): Promise<Result> {
  const page = await browser.newPage({ viewport: VIEWPORT });
  page.setDefaultTimeout(120_000);
  await page.goto(`${server.address}/#/${hash}`);
  await page.locator(ready).first().waitFor();
  const result = await measure(page).finally(() => page.close());
  return result;
}

/** With an empty cache each time; the median. */
async function measureFirstLoad(open: Browser) {
  const loads: Record<string, number>[] = [];
  for (let load = 0; load < LOADS; load++) {
    const context = await open.newContext({ viewport: VIEWPORT, locale: 'en-US' });
    const page = await context.newPage();
    await page.addInitScript(`new MutationObserver((_, observer) => {
      if (!document.querySelector('.row:not(.row-head)')) return;
      observer.disconnect();
      globalThis.firstDataMs = performance.now();
    }).observe(document, { childList: true, subtree: true });`);
    await page.goto(server.address);
    await until(page, 'globalThis.firstDataMs !== undefined');
    await until(page, "performance.getEntriesByName('first-contentful-paint').length > 0");
    loads.push((await page.evaluate(READ_LOAD)) as Record<string, number>);
    await context.close();
  }
  const median = (key: string) =>
    loads.map((load) => load[key]!).sort((a, b) => a - b)[Math.floor(LOADS / 2)]!;
  return Object.fromEntries(Object.keys(loads[0]!).map((key) => [key, median(key)]));
}

/** Heap after a collection, again and again, on the page of a training that goes on. */
async function measureMemory() {
  const response = await fetch(`${server.address}/experiments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(LIVE),
  });
  const { id } = (await response.json()) as { id: string };
  return onPage(`experiments/${id}`, CHART, async (page) => {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    const samples: { seconds: number; heapBytes: number; nodes: number; events: number }[] = [];
    for (const start = Date.now(); ; ) {
      await session.send('HeapProfiler.collectGarbage');
      const { metrics } = await session.send('Performance.getMetrics');
      const value = (name: string) => metrics.find((metric) => metric.name === name)!.value;
      const { seq } = (await (await fetch(`${server.address}/experiments/${id}`)).json()) as { seq: number };
      const seconds = (Date.now() - start) / 1000;
      samples.push({ seconds, heapBytes: value('JSHeapUsedSize'), nodes: value('Nodes'), events: seq });
      if (seconds >= Number(liveSeconds)) break;
      await new Promise((resume) => setTimeout(resume, SAMPLE_MS));
    }
    await fetch(`${server.address}/experiments/${id}/cancel`, { method: 'POST' });
    return { seconds: Number(liveSeconds), samples };
  });
}
