/**
 * Many texts written at once over HTTP, beside a small PyTorch server of the same model, idle and while a training runs:
 *
 *     node dist/bench/serve.js [RESULTS_FILE] [ROUNDS]
 *
 * Tokens per second over all streams, time to the first token, and the memory of a text of 100,000 tokens. Interleaved: each
 * round asks one server, then the other. GATELM_BENCH_PYTHON names a Python with torch; without one gatelm is alone. The
 * clients run on the same machine and take their share of it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endProcess, firstMatch, memoryOf, type ServerProcess, startServer } from './server-process.js';
import { torchPython } from './torch-python.js';

const [resultsFile, rounds = '3'] = process.argv.slice(2);
const PEER = fileURLToPath(new URL('../../bench/peers/pytorch_server.py', import.meta.url));
const WORDS = 9_998; // and <unk>, <eos>
const MODEL = { embeddingSize: 650, hiddenSizes: [650, 650], tieWeights: true };
const STREAMS = [1, 8, 32, 128];
/** Tokens of each stream; what takes some seconds. */
const TOKENS: Readonly<Record<number, number>> = { 1: 1000, 8: 500, 32: 300, 128: 100 };
const PROMPT = Array.from({ length: 20 }, (_, index) => `w${index * 37 + 1}`).join(' ');
const LONG_TEXT = 100_000;

interface Server extends ServerProcess {
  readonly name: string;
}

interface Figures {
  readonly tokensPerSecond: number;
  /** From the request to the first token, each stream. */
  readonly firstTokenMs: readonly number[];
}

const dataDir = mkdtempSync(join(tmpdir(), 'gatelm-serve-'));
const threads = availableParallelism();
const open: Server[] = [];
try {
  const gatelm = await startGatelm();
  open.push(gatelm);
  await trainModel(gatelm);
  const peer = startPeer();
  if (peer) open.push(await peer);
  const idle = await compare(open);
  print('idle', idle);
  const training = await post(gatelm, '/experiments', {
    name: 'beside',
    corpus: 'words',
    model: { embeddingSize: 650, hiddenSizes: [650, 650], tieWeights: true },
    training: { epochs: 10_000 },
  });
  const alone = await trainingSpeed(gatelm, training.id, 0);
  const busy = await compare([gatelm]);
  const beside = await trainingSpeed(gatelm, training.id, alone.seq);
  print('while a training runs', busy);
  await post(gatelm, `/experiments/${training.id}/cancel`, {});
  const memory = await measureMemory(gatelm);
  const results = {
    machine: `${cpus()[0]?.model}, ${threads} cores`,
    commit: spawnSync('git', ['rev-parse', '--short', 'HEAD']).stdout?.toString().trim(),
    model: { ...MODEL, vocabularySize: WORDS + 2 },
    rounds: Number(rounds),
    idle,
    whileTraining: busy,
    trainingTokensPerSecond: { alone: alone.speed, whileTextsAreWritten: beside.speed },
    hostBytesByTokens: memory,
  };
  if (resultsFile) writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`);
  console.log(JSON.stringify({ ...results, idle: undefined, whileTraining: undefined }, null, 2));
} finally {
  for (const { process: child } of open) {
    await endProcess(child);
  }
  rmSync(dataDir, { recursive: true, force: true });
}

async function startGatelm(): Promise<Server> {
  const server = await startServer({
    GATELM_DATA_DIR: dataDir,
    GATELM_MAX_TEXT_STREAMS: String(Math.max(...STREAMS)),
  });
  return { name: 'gatelm bfloat16', ...server };
}

/** The fastest of its modes for this model: bfloat16 autocast. */
function startPeer(): Promise<Server> | null {
  const { python, unavailable } = torchPython();
  if (unavailable) {
    console.log(`PyTorch is left out: ${unavailable}`);
    return null;
  }
  const child = spawn(python, [PEER, JSON.stringify({ ...MODEL, vocabularySize: WORDS + 2, threads })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = firstMatch(child, /"port": (\d+)/).then((port) => `http://127.0.0.1:${port}`);
  return address.then((url) => ({ name: 'PyTorch bfloat16 autocast', process: child, address: url }));
}

/** A model of the shape, after one epoch on a text that has each word three times. */
async function trainModel(server: Server): Promise<void> {
  const lines = Array.from({ length: 3 * WORDS }, (_, index) => `w${(index * 7919) % WORDS}`);
  const text = lines.map((word, index) => word + (index % 20 === 19 ? '\n' : ' ')).join('');
  await fetch(`${server.address}/corpora?name=words&validFraction=0.01&testFraction=0.01`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: text,
  });
  const { id } = await post(server, '/experiments', {
    corpus: 'words',
    tokenizer: { type: 'word', preTokenizer: 'whitespace', minCount: 1 },
    model: MODEL,
    precision: 'bfloat16',
    training: { epochs: 1 },
  });
  for (;;) {
    const { state } = (await (await fetch(`${server.address}/experiments/${id}`)).json()) as {
      state: string;
    };
    if (state === 'succeeded') return;
    if (state === 'failed') throw new Error('the model could not be trained');
    await new Promise((resume) => setTimeout(resume, 500));
  }
}

async function post(server: Server, path: string, body: object): Promise<{ id: string }> {
  const answer = await fetch(server.address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { id: string };
}

/** Median of the rounds, each with the servers in turn. */
async function compare(servers: readonly Server[]) {
  const rows = [];
  for (const streams of STREAMS) {
    const figures = new Map(servers.map(({ name }) => [name, [] as Figures[]]));
    for (let round = 0; round < Number(rounds) + 1; round++) {
      for (const server of servers) {
        const measured = await writeTexts(server, streams, TOKENS[streams]!);
        if (round > 0) figures.get(server.name)!.push(measured); // the first one warms up
      }
    }
    for (const [name, list] of figures) {
      const speeds = list.map(({ tokensPerSecond }) => tokensPerSecond).sort((a, b) => a - b);
      const firsts = list.flatMap(({ firstTokenMs }) => firstTokenMs).sort((a, b) => a - b);
      const at = (share: number) => Number(firsts[Math.floor(share * (firsts.length - 1))]!.toFixed(1));
      rows.push({
        name,
        streams,
        tokensPerStream: TOKENS[streams]!,
        tokensPerSecond: Math.round(speeds[Math.floor(speeds.length / 2)]!),
        least: Math.round(speeds[0]!),
        most: Math.round(speeds.at(-1)!),
        firstTokenMs: { p50: at(0.5), p99: at(0.99) },
      });
    }
  }
  return rows;
}

async function writeTexts(server: Server, streams: number, tokens: number): Promise<Figures> {
  const agent = new Agent({ keepAlive: false });
  const start = performance.now();
  const firstTokenMs = await Promise.all(
    Array.from({ length: streams }, (_, index) => writeText(server, agent, tokens, index)),
  );
  const seconds = (performance.now() - start) / 1000;
  return { tokensPerSecond: (streams * tokens) / seconds, firstTokenMs };
}

/** @returns the time to its first token */
function writeText(server: Server, agent: Agent, tokens: number, seed: number): Promise<number> {
  const query = new URLSearchParams({
    prompt: `${PROMPT} w${seed}`, // no other stream has read the whole of it
    maxTokens: String(tokens),
    temperature: '0.8',
    topK: '40',
    seed: String(seed),
  });
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const options = { agent, headers: { accept: 'text/event-stream' } };
    get(`${server.address}/generate?${query}`, options, (response) => {
      let first = 0;
      response.on('data', () => {
        first ||= performance.now() - start;
      });
      response.on('end', () => resolve(first));
      if (response.statusCode !== 200) reject(new Error(`${server.name}: ${response.statusCode}`));
    }).on('error', reject);
  });
}

/** Tokens per second of a training since an event, by its `step` events. */
async function trainingSpeed(server: Server, id: string, since: number) {
  let steps: { seq: number; data: { tokensPerSecond: number } }[] = [];
  let seq = since;
  while (steps.length < 10) {
    await new Promise((resume) => setTimeout(resume, 1000));
    const answer = await fetch(`${server.address}/experiments/${id}/events?since=${since}&limit=10000`);
    const { items } = (await answer.json()) as { items: { seq: number; type: string; data: never }[] };
    steps = items.filter(({ type }) => type === 'step').slice(2); // the first ones hold the start
    seq = items.at(-1)?.seq ?? seq;
  }
  const mean = steps.reduce((sum, { data }) => sum + data.tokensPerSecond, 0) / steps.length;
  return { speed: Math.round(mean), seq };
}

/** Resident memory of the inference host while one text of {@link LONG_TEXT} tokens is written. */
async function measureMemory(server: Server): Promise<Record<number, number>> {
  const health = (await (await fetch(`${server.address}/healthz`)).json()) as {
    inference: { processIds: number[] };
  };
  const [pid] = health.inference.processIds;
  const bytes = new Map<number, number>();
  await new Promise<void>((resolve, reject) => {
    const url = `${server.address}/generate?maxTokens=${LONG_TEXT}&topK=40&seed=1`;
    get(url, { headers: { accept: 'text/event-stream' } }, (response) => {
      createInterface({ input: response }).on('line', (line) => {
        const tokens = Number(/^data: .*"tokens":(\d+)\}$/.exec(line)?.[1]);
        if (tokens % 10_000 !== 0 || bytes.has(tokens)) return;
        bytes.set(tokens, memoryOf(pid));
      });
      response.on('end', resolve);
    }).on('error', reject);
  });
  return Object.fromEntries(bytes);
}

function print(what: string, rows: Awaited<ReturnType<typeof compare>>): void {
  console.log(`\n${what}: tokens/s over all streams (least to most), time to the first token`);
  for (const row of rows) {
    const { name, streams, tokensPerSecond, least, most, firstTokenMs } = row;
    console.log(
      `  ${String(streams).padStart(3)} streams  ${name.padEnd(26)} ${String(tokensPerSecond).padStart(6)} (${least} to ${most})  p50 ${firstTokenMs.p50} ms, p99 ${firstTokenMs.p99} ms`,
    );
  }
}
