/**
 * Odd requests over all routes of the OpenAPI document, against a real server with a real model:
 *
 *     node dist/bench/fuzz.js [REQUESTS] [SEED] [RESULTS_FILE]
 *
 * No answer may be a 5xx but the documented 503 of what takes too long or cannot be fetched, each must come in time, every
 * refusal must be a problem (RFC 9457, or OpenAI's envelope), and the server's memory must not grow with their number.
 * Ends with 1 otherwise.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { OpenAiError } from '../src/contracts/openai.js';
import { Problem } from '../src/contracts/problem.js';
import { loadBackend } from '../src/kernels/backend.js';
import { type OddRequest, oddRequest, operationsOf } from '../test/support/odd-requests.js';
import { TINY_VOCABULARY, tinyBundle } from '../test/support/tiny-bundle.js';
import { endProcess, memoryOf, startServer } from './server-process.js';

const [count = '20000', seed = '1', resultsFile] = process.argv.slice(2);
const LIMIT_MS = 30_000;
/** Requests under way at once. */
const AT_ONCE = 8;
/** Every so many requests a malformed frame is sent on a socket. */
const FRAME_EVERY = 50;
const ALLOWED_503 = new Set(['deadline-exceeded', 'corpus-unavailable', 'cancelled']);
/** Every so many requests an upload is cut somewhere. */
const CUT_EVERY = 40;
/** What the memory of the server may grow by between the first tenth and the end: its caches and buffers. */
const MAX_GROWTH_BYTES = 100 * 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), 'gatelm-fuzz-'));
const server = await startServer({
  GATELM_DATA_DIR: join(folder, 'data'),
  GATELM_MAX_QUEUED: '10',
  GATELM_GENERATION_TIMEOUT_MS: '1000',
  GATELM_CLIENT_TIMEOUT_MS: '2000',
});
try {
  const results = await fuzz(server.address);
  console.log(JSON.stringify(results, null, 2));
  if (resultsFile) writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`);
  process.exitCode = results.violations.length > 0 ? 1 : 0;
} finally {
  await endProcess(server.process);
  rmSync(folder, { recursive: true, force: true });
}

async function fuzz(address: string) {
  const id = await importModel(address);
  const document = await (await fetch(`${address}/openapi.json`)).json();
  const operations = operationsOf(document);
  const requests = fc
    .sample(oddRequest(document, operations, [id, 'tiny', 'handbook', 'uploaded']), {
      numRuns: Number(count),
      seed: Number(seed),
    })
    // What others are asked about has to stay.
    .filter(
      ({ operation, url }) => operation.method !== 'DELETE' || !(url.includes(id) || url.includes('tiny')),
    );
  const byStatus = new Map<number, number>();
  const violations: string[] = [];
  let next = 0;
  let slowestMs = 0;
  let rssAtTenth = 0;
  const start = performance.now();
  const work = async () => {
    for (;;) {
      const index = next++;
      const odd = requests[index];
      if (!odd) return;
      if (index === Math.floor(requests.length / 10)) rssAtTenth = memoryOf(server.process.pid);
      if (index % FRAME_EVERY === 0) await sendOddFrame(address, id, index);
      if (index % CUT_EVERY === 0) await cutUpload(address, index);
      const begin = performance.now();
      const { status, violation } = await ask(address, odd);
      slowestMs = Math.max(slowestMs, performance.now() - begin);
      byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
      if (violation) violations.push(violation.slice(0, 600));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const rssAtEnd = memoryOf(server.process.pid);
  if (rssAtEnd - rssAtTenth > MAX_GROWTH_BYTES)
    violations.push(`the server grew from ${rssAtTenth} to ${rssAtEnd} bytes`);
  const staged = readdirSync(join(folder, 'data', 'corpora')).filter((name) => name.startsWith('.'));
  if (staged.length > 0) violations.push(`cut uploads left ${staged.join(', ')}`);
  const { status } = await fetch(`${address}/healthz`);
  if (status !== 200) violations.push(`/healthz answers ${status} afterwards`);
  return {
    commit: spawnSync('git', ['rev-parse', '--short', 'HEAD']).stdout?.toString().trim(),
    seed: Number(seed),
    requests: requests.length,
    operations: operations.length,
    seconds: Math.round((performance.now() - start) / 1000),
    slowestMs: Math.round(slowestMs),
    answersByStatus: Object.fromEntries([...byStatus].sort(([a], [b]) => a - b)),
    serverBytes: { atTenth: rssAtTenth, atEnd: rssAtEnd },
    violations,
  };
}

async function ask(
  address: string,
  { operation, url, headers, payload }: OddRequest,
): Promise<{ status: number; violation: string | null }> {
  const what = `${operation.method} ${url} ${payload?.slice(0, 200) ?? ''}`;
  try {
    const response = await fetch(address + url, {
      method: operation.method,
      headers,
      ...(payload !== undefined && { body: payload }),
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const text = await response.text();
    const { status } = response;
    if (status < 400) return { status, violation: null };
    const problem = operation.path.startsWith('/v1/') ? OpenAiError : Problem;
    const parsed = problem.safeParse(JSON.parse(text));
    if (!parsed.success) return { status, violation: `${what}: ${status} ${text}` };
    const { code } = parsed.data as { code?: string };
    const isAllowed = status < 500 || (status === 503 && ALLOWED_503.has(code ?? ''));
    return { status, violation: isAllowed ? null : `${what}: ${status} ${text}` };
  } catch (error) {
    return { status: 0, violation: `${what}: ${(error as Error).message}` };
  }
}

/** Opens a progress socket by hand and sends bytes that are no frame, or one that is not allowed. */
async function sendOddFrame(address: string, id: string, salt: number): Promise<void> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write(
    `GET /experiments/${id}/progress HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16, salt % 256).toString('base64')}\r\n\r\n`,
  );
  await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  socket.write(Buffer.from(Array.from({ length: 1 + (salt % 60) }, (_, at) => (salt * 31 + at * 97) % 256)));
  setTimeout(() => socket.destroy(), 50);
}

/** Begins an upload and leaves at a byte that the number says, by a reset or an end. */
async function cutUpload(address: string, salt: number): Promise<void> {
  const { hostname, port } = new URL(address);
  const body = `--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${'the cat\n'.repeat(9)}\r\n--x--\r\n`;
  const request = `POST /corpora HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  socket.write(request.slice(0, (salt * 7919) % (request.length + 1)), () => {
    if (salt % 3 === 0) socket.end();
    else socket.resetAndDestroy();
  });
  await closed;
}

async function importModel(address: string): Promise<string> {
  const { kernels } = await loadBackend();
  const bundleFolder = join(folder, 'model');
  mkdirSync(bundleFolder);
  const form = new FormData();
  form.set(
    'model',
    new Blob([Buffer.from(tinyBundle(bundleFolder, { kernels }).get('model.safetensors')!)]),
    'model',
  );
  form.set('vocabulary', new Blob([TINY_VOCABULARY]), 'vocabulary');
  form.set('name', 'tiny');
  const answer = await fetch(`${address}/experiments/import`, { method: 'POST', body: form });
  if (answer.status !== 201) throw new Error(await answer.text());
  return ((await answer.json()) as { id: string }).id;
}
