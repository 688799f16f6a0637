/**
 * What the service takes besides the model, for small models of characters on two threads:
 *
 *     node dist/bench/service-speed.js [RESULTS_FILE] [ROUNDS]
 *
 * - From POST to the first step, with a host that has to be started and with one that is there.
 * - Two trainings side by side with a thread each, beside one after the other with two threads each.
 * - One text written through HTTP with streaming, beside the same model in a process of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Follower } from './follower.js';
import { medianOf } from './median.js';
import { describeRun, reportResults } from './run-record.js';
import { endProcess, type ServerProcess, startServer } from './server-process.js';
import { gatelmSide } from './side.js';
import type { Workload } from './workload.js';

const [resultsFile, rounds = '3'] = process.argv.slice(2);
const CHARACTERS = 97; // and the end of a line, <unk>, <eos>
const UNITS = 256;
const WRITTEN_TOKENS = 5000;
const TRAINED_STEPS = 200;
const WORKLOAD: Workload = {
  name: 'generate characters 256 ×1, 1 stream',
  task: 'generate',
  vocabularySize: CHARACTERS + 3,
  embeddingSize: UNITS,
  hiddenSizes: [UNITS],
  tied: false,
  dropout: 0,
  awd: false,
  batchSize: 1,
  time: 1,
  steps: 4 * WRITTEN_TOKENS, // as many as are streamed, most of them to warm up
  threads: 2,
};

const run = describeRun();
const times = Array.from({ length: Number(rounds) }, (_, round) => round);
const figures = { cold: [], warm: [], together: [], inTurn: [], streamed: [], inProcess: [] } as Record<
  'cold' | 'warm' | 'together' | 'inTurn' | 'streamed' | 'inProcess',
  number[]
>;
for (const _ of times) {
  await withServer({ GATELM_THREADS: '2', GATELM_TRAINING_SLOTS: '1' }, async (server) => {
    figures.cold.push(await secondsToFirstStep(server));
    figures.warm.push(await secondsToFirstStep(server));
    figures.inTurn.push(await secondsOfTwoTrainings(server));
    figures.streamed.push(await streamedTokensPerSecond(server));
  });
  const [inProcess] = await gatelmSide('float32').run(WORKLOAD);
  figures.inProcess.push(inProcess!.tokensPerSecond);
  await withServer({ GATELM_THREADS: '1', GATELM_TRAINING_SLOTS: '2' }, async (server) => {
    await secondsOfTwoTrainings(server, 1); // starts both hosts
    figures.together.push(await secondsOfTwoTrainings(server));
  });
}
const medians = Object.fromEntries(Object.entries(figures).map(([name, list]) => [name, medianOf(list)]));
reportResults(
  {
    ...run,
    firstStepSeconds: { cold: figures.cold, warm: figures.warm },
    twoTrainings: {
      sideBySideSeconds: figures.together,
      inTurnSeconds: figures.inTurn,
      speedUp: medians.inTurn! / medians.together!,
    },
    writing: {
      streamedTokensPerSecond: figures.streamed,
      inProcessTokensPerSecond: figures.inProcess,
      shareOutsideTheModel: 1 - medians.streamed! / medians.inProcess!,
    },
  },
  resultsFile,
);

async function withServer(
  environment: Readonly<Record<string, string>>,
  body: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatelm-service-speed-'));
  const server = await startServer({ ...environment, GATELM_DATA_DIR: dataDir, GATELM_RATE_LIMIT: '0' });
  try {
    await post(`${server.address}/corpora?name=characters`, text(), 'text/plain');
    await body(server);
  } finally {
    await endProcess(server.process);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Letters in an order that no model learns quickly, in lines. */
function text(): string {
  const characters = Array.from({ length: 600_000 }, (_, index) => {
    const draw = (Math.imul(index + 1, 2654435761) >>> 8) % CHARACTERS;
    return String.fromCodePoint(0x100 + draw);
  });
  return characters.map((letter, index) => (index % 80 === 79 ? `${letter}\n` : letter)).join('');
}

async function secondsToFirstStep(server: ServerProcess): Promise<number> {
  const begin = performance.now();
  const follower = new Follower(server, await train(server, 2, 1));
  await follower.next(0, ({ type }) => type === 'step');
  const seconds = (performance.now() - begin) / 1000;
  await follower.digest;
  return seconds;
}

/** From the first step of the first one to the end of the last one. */
async function secondsOfTwoTrainings(server: ServerProcess, steps = TRAINED_STEPS): Promise<number> {
  const followers: Follower[] = [];
  for (let count = 0; count < 2; count++) followers.push(new Follower(server, await train(server, steps)));
  const timesOf = (type: string) =>
    Promise.all(
      followers.map(async (follower) =>
        Date.parse((await follower.next(0, (event) => event.type === type)).time),
      ),
    );
  const started = await timesOf('started');
  const ended = await timesOf('succeeded');
  await Promise.all(followers.map(({ digest }) => digest));
  return (Math.max(...ended) - Math.min(...started)) / 1000;
}

async function train(server: ServerProcess, maxSteps: number, metricsEvery = 50): Promise<string> {
  const body = {
    corpus: 'characters',
    tokenizer: { type: 'character' },
    model: { embeddingSize: UNITS, hiddenSizes: [UNITS] },
    optimizer: { type: 'adam', learningRate: 0.002 },
    training: { epochs: 100, maxSteps, batchSize: 32, bpttLength: 64, metricsEvery },
  };
  const answer = await post(`${server.address}/experiments`, JSON.stringify(body), 'application/json');
  return ((await answer.json()) as { id: string }).id;
}

async function streamedTokensPerSecond(server: ServerProcess): Promise<number> {
  const write = async (tokens: number) => {
    const query = new URLSearchParams({
      maxTokens: String(tokens),
      temperature: '0.8',
      topK: '40',
      seed: '1',
    });
    const answer = await fetch(`${server.address}/generate?${query}`, {
      headers: { accept: 'text/event-stream' },
    });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    for await (const _ of answer.body!) {
      // read it all
    }
  };
  for (let round = 0; round < 3; round++) await write(WRITTEN_TOKENS); // until all of it is compiled
  const begin = performance.now();
  await write(WRITTEN_TOKENS);
  return (WRITTEN_TOKENS * 1000) / (performance.now() - begin);
}

async function post(url: string, body: string, contentType: string): Promise<Response> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}
