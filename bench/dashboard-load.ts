/**
 * What open dashboards cost a training: its tokens per second and the server's processor time, without, with as many pages of the
 * training as are asked for, and with as many tables of all experiments, in turns.
 *
 *     node dist/bench/dashboard-load.js 20 20 [RESULTS_FILE]
 *
 * 20 = dashboards, 20 = seconds a turn. A dashboard is what a page asks of the server, without a browser, whose drawing is no
 * work of the server. The page of a training: its socket, and the run every thirty seconds. The table: the active ones every two
 * seconds, the newest every eight, and a small curve every minute.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { endProcess, startServer } from './server-process.js';

const [dashboards = 20, seconds = 20] = process.argv.slice(2, 4).map(Number);
const resultsFile = process.argv[4];
const TURNS = 3;
const POLL_MS = 2000;
const NEWEST_MS = 8000;
const CURVE_MS = 60_000;
const REREAD_MS = 30_000;
const WARM_UP_MS = 5000;
const ACTIVE = 'queued,preparing,running,pausing,cancelling';
const CONFIG = {
  corpus: 'handbook',
  model: { embeddingSize: 200, hiddenSizes: [200] },
  training: { epochs: 100_000, batchSize: 20, bpttLength: 35 },
};

const dataDir = mkdtempSync(join(tmpdir(), 'gatelm-dashboard-load-'));
const server = await startServer({ GATELM_DATA_DIR: dataDir, GATELM_RATE_LIMIT: '1000000' });
try {
  const text = `${JSON.stringify(await measure(), (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value), 2)}\n`;
  process.stdout.write(text);
  if (resultsFile) writeFileSync(resultsFile, text);
} finally {
  await endProcess(server.process);
  rmSync(dataDir, { recursive: true, force: true });
}

async function measure() {
  const answer = await fetch(`${server.address}/experiments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(CONFIG),
  });
  const { id } = (await answer.json()) as { id: string };
  await untilItSteps(id);
  const turns: Record<Page | 'none', Turn[]> = { none: [], run: [], table: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    turns.none.push(await oneTurn(id));
    for (const page of ['run', 'table'] as const) {
      const close = await openDashboards(id, page);
      turns[page].push(await oneTurn(id));
      await close();
    }
  }
  const mean = (of: readonly Turn[], field: keyof Turn) =>
    of.reduce((sum, turn) => sum + turn[field], 0) / of.length;
  const cost = (page: Page) => ({
    tokensPerSecondLost: 1 - mean(turns[page], 'tokensPerSecond') / mean(turns.none, 'tokensPerSecond'),
    serverCores: mean(turns[page], 'serverCores') - mean(turns.none, 'serverCores'),
  });
  return {
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores; the clients run on it, too`,
    date: new Date().toISOString(),
    loadAfter: loadavg()[0]!,
    ...{ dashboards, secondsATurn: seconds, turns },
    run: cost('run'),
    table: cost('table'),
  };
}

type Page = 'run' | 'table';

interface Turn {
  readonly tokensPerSecond: number;
  /** Processor time of the server per second. */
  readonly serverCores: number;
}

/** Tokens by the steps that were made and by when they were, so that nothing is smoothed or cut off. */
async function oneTurn(id: string): Promise<Turn> {
  const before = await readAll(id);
  await sleep(seconds * 1000);
  const after = await readAll(id);
  const { batchSize, bpttLength } = CONFIG.training;
  const tokens = (after.step - before.step) * batchSize * bpttLength;
  return {
    tokensPerSecond: (tokens * 1000) / (after.stepTime - before.stepTime),
    serverCores: ((after.cpu - before.cpu) * 1000) / (after.time - before.time),
  };
}

async function readAll(id: string) {
  const metrics = await (await fetch(`${server.address}/metrics`)).text();
  const cpu = Number(/^process_cpu_seconds_total (\S+)/m.exec(metrics)?.[1]);
  const time = performance.now();
  const { latest } = await readExperiment(id);
  const path = `/experiments/${id}/metrics?keys=stepLoss&fromStep=${latest.step}`;
  const { series } = (await (await fetch(server.address + path)).json()) as {
    series: { stepLoss: { step: number; time: string }[] };
  };
  const last = series.stepLoss.at(-1)!;
  return { step: last.step, stepTime: Date.parse(last.time), cpu, time };
}

async function readExperiment(id: string): Promise<{ seq: number; latest: { step: number | null } }> {
  return JSON.parse(await get(`/experiments/${id}`)) as { seq: number; latest: { step: number | null } };
}

async function untilItSteps(id: string): Promise<void> {
  while (!(await readExperiment(id)).latest.step) await sleep(100);
  await sleep(WARM_UP_MS);
}

async function openDashboards(id: string, page: Page): Promise<() => Promise<void>> {
  const opened = await Promise.all(
    Array.from({ length: dashboards }, async (_, index) => {
      await sleep((index * POLL_MS) / dashboards); // people do not come all at once
      return page === 'run' ? openRun(id) : openTable(id);
    }),
  );
  await sleep(WARM_UP_MS); // what a page reads when it is opened
  return async () => {
    await Promise.all(opened.map((close) => close()));
  };
}

async function openRun(id: string): Promise<() => Promise<void>> {
  const [{ seq }] = await Promise.all([
    readExperiment(id),
    get(`/experiments/${id}/metrics?maxPoints=1500&keep=extremes`),
    get(`/experiments/${id}/events?types=epoch,sample,checkpoint&limit=5000`),
  ]);
  const timer = setInterval(() => void get(`/experiments/${id}`), REREAD_MS);
  const address = server.address.replace('http', 'ws');
  const socket = new WebSocket(`${address}/experiments/${id}/progress?since=${seq}`);
  socket.on('message', (data) => JSON.parse(String(data)));
  await once(socket, 'open');
  return async () => {
    clearInterval(timer);
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  };
}

async function openTable(id: string): Promise<() => Promise<void>> {
  const curve = `/experiments/${id}/metrics?keys=validPerplexity,stepPerplexity&maxPoints=48&keep=extremes`;
  await Promise.all([get('/experiments?limit=200'), get(curve)]);
  const timers = [
    setInterval(() => void get(`/experiments?state=${ACTIVE}&limit=200`), POLL_MS),
    setInterval(() => void get('/experiments?limit=20'), NEWEST_MS),
    setInterval(() => void get(curve), CURVE_MS),
  ];
  return async () => {
    for (const timer of timers) clearInterval(timer);
  };
}

async function get(path: string): Promise<string> {
  return (await fetch(server.address + path)).text();
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, milliseconds));
}
