/**
 * The API under load: a server in a process of its own trains on all cores while many WebSocket clients follow the
 * training and somebody asks for the list of experiments again and again.
 *
 *     node dist/bench/load.js 1000 30 [RESULTS_FILE]
 *
 * 1000 = subscribers, 30 = seconds. The clients run on the same machine and take their share of it.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { endProcess, memoryOf, startServer } from './server-process.js';

const [subscribers = 1000, seconds = 30] = process.argv.slice(2, 4).map(Number);
const resultsFile = process.argv[4];
const CONFIG = {
  corpus: 'handbook',
  model: { embeddingSize: 200, hiddenSizes: [200] },
  training: { epochs: 100_000, batchSize: 20, bpttLength: 35 },
};
const PAUSE_MS = 20;

const dataDir = mkdtempSync(join(tmpdir(), 'gatelm-load-'));
const server = await startServer({
  GATELM_DATA_DIR: dataDir,
  GATELM_THREADS: String(availableParallelism()),
  GATELM_RATE_LIMIT: '1000000',
});
try {
  const text = `${JSON.stringify(await measure(server.address), null, 2)}\n`;
  process.stdout.write(text);
  if (resultsFile) writeFileSync(resultsFile, text);
} finally {
  await endProcess(server.process);
  rmSync(dataDir, { recursive: true, force: true });
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
  const rssBytes = memoryOf(server.process.pid);
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
    serverMostRssBytes: memoryOf(server.process.pid, 'VmHWM'),
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
