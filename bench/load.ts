/**
 * The API under load: a server in a process of its own trains on all cores while many WebSocket clients follow the
 * training and somebody asks for the list of experiments again and again.
 *
 *     node dist/bench/load.js 1000 30 [RESULTS_FILE]
 *
 * 1000 = subscribers, 30 = seconds. The clients run on the same machine and take their share of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';

const [subscribers = 1000, seconds = 30] = process.argv.slice(2, 4).map(Number);
const resultsFile = process.argv[4];
const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const CONFIG = {
  corpus: 'handbook',
  model: { embeddingSize: 200, hiddenSizes: [200] },
  training: { epochs: 100_000, batchSize: 20, bpttLength: 35 },
};
const PAUSE_MS = 20;

const dataDir = mkdtempSync(join(tmpdir(), 'gatelm-load-'));
const server = spawn(process.execPath, [MAIN, 'serve'], {
  env: {
    ...process.env,
    GATELM_DATA_DIR: dataDir,
    GATELM_PORT: '0',
    GATELM_LOG_LEVEL: 'warn',
    GATELM_THREADS: String(availableParallelism()),
    GATELM_RATE_LIMIT: '1000000',
    GATELM_SHUTDOWN_GRACE_MS: '0',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const text = `${JSON.stringify(await measure(await addressOf()), null, 2)}\n`;
  process.stdout.write(text);
  if (resultsFile) writeFileSync(resultsFile, text);
} finally {
  server.kill('SIGTERM');
  if (server.exitCode === null) await once(server, 'exit');
  rmSync(dataDir, { recursive: true, force: true });
}

function addressOf(): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: server.stdout! }).on('line', (line) => {
      const address = /listens on (http\S+)/.exec(line)?.[1];
      if (address) resolve(address);
    });
    server.once('exit', (code) => reject(new Error(`the server ended with code ${code}`)));
  });
}

async function measure(address: string) {
  const answer = await fetch(`${address}/experiments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(CONFIG),
  });
  if (answer.status !== 201) throw new Error(await answer.text());
  const { id } = (await answer.json()) as { id: string };
  const delays: number[] = [];
  let live = Number.POSITIVE_INFINITY;
  let gaps = 0;
  let events = 0;
  const opening = performance.now();
  const sockets = await Promise.all(
    Array.from({ length: subscribers }, async () => {
      const socket = new WebSocket(`${address.replace('http', 'ws')}/experiments/${id}/progress`);
      let last = 0;
      socket.on('message', (data) => {
        const now = Date.now();
        const { seq, time, type } = JSON.parse(String(data)) as { seq?: number; time: string; type: string };
        if (seq === undefined || type === 'snapshot') return;
        if (seq !== last + 1) gaps += 1;
        last = seq;
        events += 1;
        const sent = Date.parse(time);
        if (sent > live) delays.push(now - sent);
      });
      await once(socket, 'open');
      return socket;
    }),
  );
  const openMs = performance.now() - opening;
  live = Date.now() + 1000; // what was stored before they came is no delivery
  const answers = await listAgainAndAgain(`${address}/experiments`);
  const rssBytes = rss('VmRSS');
  const open = sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
  const closed = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets) socket.close();
  await Promise.all(closed);
  return {
    machine: `${cpus()[0]?.model}, ${availableParallelism()} cores`,
    subscribers,
    seconds,
    openAtTheEnd: open,
    openMs: Math.round(openMs),
    eventsReceived: events,
    gaps,
    deliveryMs: quantilesOf(delays),
    listMs: quantilesOf(answers),
    serverRssBytes: rssBytes,
    serverMostRssBytes: rss('VmHWM'),
  };
}

async function listAgainAndAgain(url: string): Promise<number[]> {
  const times: number[] = [];
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const start = performance.now();
    const answer = await fetch(url);
    await answer.text();
    if (answer.status !== 200) throw new Error(`${url}: ${answer.status}`);
    times.push(performance.now() - start);
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
  return times;
}

function quantilesOf(values: number[]) {
  values.sort((a, b) => a - b);
  const at = (share: number) =>
    Number((values[Math.floor(share * (values.length - 1))] ?? Number.NaN).toFixed(1));
  return { count: values.length, p50: at(0.5), p99: at(0.99), most: at(1) };
}

/** Of the server's process alone; the training has its own. */
function rss(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}
