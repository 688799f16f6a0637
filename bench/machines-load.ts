/**
 * What Redis and the server carry, with trainers that train nothing:
 *
 *     node dist/bench/machines-load.js --out results/machines-load.json
 *     node dist/bench/machines-load.js --seconds 5 --rates 0,100 --backlog 2000 --trainers 10
 *
 * Processor time is that of the one process, server or Redis. The synthetic trainers run in this process, on the same
 * machine, and take their share of it; each has the connections to Redis that a real one has. Redis flushes every second.
 */
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { streamOf } from '../src/compute/queue/queue-names.js';
import { RunEntry } from '../src/contracts/cluster.js';
import { RedisServer } from '../test/support/redis-server.js';
import { readEvents } from './follower.js';
import { cpuSecondsOf } from './process-cpu.js';
import { RestartableServer } from './restartable-server.js';
import { describeRun, reportResults } from './run-record.js';
import { type Scope, scopedFolder, withScope } from './scope.js';
import { memoryOf } from './server-process.js';
import { smallTraining } from './small-training.js';
import { SyntheticTrainer, stepEntry } from './synthetic-trainer.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    rates: { type: 'string', default: '0,100,1000' },
    backlog: { type: 'string', default: '50000' },
    trainers: { type: 'string', default: '10,100,300,1000' },
    out: { type: 'string' },
  },
});
const SECONDS = Number(values.seconds);
const RATES = values.rates.split(',').map(Number);
const BACKLOG = Number(values.backlog);
const TRAINERS = values.trainers.split(',').map(Number);
/** Trainers that share the rates. */
const SENDERS = 10;
const TICK_MS = 100;
const TICKS_PER_SECOND = 1000 / TICK_MS;
const APPENDS = 20_000;
const PIPELINE = 100;
const ASK_MS = 250;
const PARALLEL_POSTS = 20;
/** Events of a measurement whose delay is looked at. */
const MAX_DELAYS = 1_000;

const run = describeRun();
const redis = await withScope(measureRedis);
console.log(JSON.stringify(redis));
const { rates, backlog } = await withScope(measureRates);
const trainers = [];
for (const count of TRAINERS) {
  const measured = await withScope((scope) => measureTrainers(scope, count));
  console.log(JSON.stringify(measured));
  trainers.push(measured);
}
reportResults({ ...run, secondsEach: SECONDS, redis, rates, backlog, trainers }, values.out);
process.exit(0);

interface Rig {
  readonly redis: RedisServer;
  readonly server: RestartableServer;
  readonly trainers: readonly SyntheticTrainer[];
  /** From the first POST until every trainer had an experiment. */
  readonly handedOutSeconds: number;
}

/** Redis alone: events into the stream of one run. */
async function measureRedis(scope: Scope) {
  const redis = await RedisServer.start(scope, 'everysec');
  const connection = new Redis(redis.address);
  scope.after(() => connection.disconnect());
  const key = streamOf({ experimentId: 'synthetic', attempt: 1 });
  const cpu = cpuSecondsOf(redis.pid);
  const start = performance.now();
  for (let sent = 0; sent < APPENDS; sent += PIPELINE) {
    const pipeline = connection.pipeline();
    for (let index = 1; index <= PIPELINE; index++) pipeline.xadd(key, '*', 'entry', stepEntry(sent + index));
    await pipeline.exec();
  }
  const seconds = (performance.now() - start) / 1000;
  const cpuSeconds = cpuSecondsOf(redis.pid) - cpu;
  return {
    appendsPerSecond: Math.round(APPENDS / seconds),
    cpuSecondsPer1000Events: rounded(cpuSeconds / (APPENDS / 1000)),
    bytesPerEvent: Math.round(Number(await connection.memory('USAGE', key, 'SAMPLES', 0)) / APPENDS),
  };
}

/** Events of ten trainers at given rates, then as many as the server stores. */
async function measureRates(scope: Scope) {
  const rig = await startRig(scope, SENDERS);
  const rates = [];
  for (const rate of RATES) {
    const measured = await observe(rig, () => send(rig.trainers, rate / SENDERS));
    console.log(JSON.stringify({ rate, ...measured }));
    rates.push({ rate, ...measured });
  }
  const cpu = cpuSecondsOf(rig.server.pid);
  const start = performance.now();
  const last = await Promise.all(rig.trainers.map((trainer) => trainer.step(BACKLOG / SENDERS)));
  for (const [index, trainer] of rig.trainers.entries()) await untilStored(rig.server, trainer, last[index]!);
  const seconds = (performance.now() - start) / 1000;
  const cpuSeconds = cpuSecondsOf(rig.server.pid) - cpu;
  const backlog = {
    events: BACKLOG,
    seconds: rounded(seconds),
    eventsPerSecond: Math.round(BACKLOG / seconds),
    cpuSecondsPer1000Events: rounded(cpuSeconds / (BACKLOG / 1000)),
  };
  console.log(JSON.stringify(backlog));
  return { rates, backlog };
}

/** Trainers that send one event a second each. */
async function measureTrainers(scope: Scope, count: number) {
  const rig = await startRig(scope, count);
  return {
    trainers: count,
    handedOutSeconds: rig.handedOutSeconds,
    ...(await observe(rig, () => send(rig.trainers, 1))),
  };
}

async function startRig(scope: Scope, count: number): Promise<Rig> {
  const redis = await RedisServer.start(scope, 'everysec');
  const server = new RestartableServer({
    GATELM_DATA_DIR: join(scopedFolder(scope), 'data'),
    GATELM_QUEUE: redis.address,
    GATELM_THREADS: '1',
    GATELM_MAX_QUEUED: '100000',
  });
  scope.after(() => server.end('SIGKILL'));
  await server.start();
  const trainers = Array.from(
    { length: count },
    (_, index) => new SyntheticTrainer(redis.address, `synthetic-${index}`),
  );
  scope.after(() => Promise.all(trainers.map((trainer) => trainer.close())));
  const start = performance.now();
  const configs = trainers.map((_, index) => smallTraining(index + 1, 1));
  for (let created = 0; created < count; created += PARALLEL_POSTS)
    await Promise.all(
      configs.slice(created, created + PARALLEL_POSTS).map((config) => server.post('/experiments', config)),
    );
  const createdSeconds = rounded((performance.now() - start) / 1000);
  while (trainers.some(({ lease }) => lease === null)) await after(TICK_MS);
  const handedOutSeconds = rounded((performance.now() - start) / 1000);
  console.log(JSON.stringify({ trainers: count, createdSeconds, handedOutSeconds }));
  return { redis, server, trainers, handedOutSeconds };
}

/** Sends for the time of one measurement, each trainer at this rate. @returns number of events */
async function send(trainers: readonly SyntheticTrainer[], eventsPerSecond: number): Promise<number> {
  let sent = 0;
  const start = performance.now();
  for (let tick = 0; tick < SECONDS * TICKS_PER_SECOND; tick++) {
    const due = trainers.flatMap((trainer, index) => {
      const [before, now] = [tick, tick + 1].map((time) =>
        Math.floor(index / trainers.length + (time * eventsPerSecond) / TICKS_PER_SECOND),
      );
      return now! > before! ? [{ trainer, count: now! - before! }] : [];
    });
    for (const { count } of due) sent += count;
    await Promise.all(due.map(({ trainer, count }) => trainer.step(count)));
    await after(Math.max(0, start + (tick + 1) * TICK_MS - performance.now()));
  }
  return sent;
}

/** What server and Redis need while `work` sends events. */
async function observe({ server, redis, trainers }: Rig, work: () => Promise<number>) {
  const start = performance.now();
  const [serverCpu, redisCpu] = [cpuSecondsOf(server.pid), cpuSecondsOf(redis.pid)];
  let isOver = false;
  const answers: number[] = [];
  const asking = (async () => {
    while (!isOver) {
      const asked = performance.now();
      await (await fetch(`${server.address}/healthz`)).text();
      answers.push(performance.now() - asked);
      await after(ASK_MS);
    }
  })();
  const events = await work();
  const seconds = (performance.now() - start) / 1000;
  const serverCpuSeconds = cpuSecondsOf(server.pid) - serverCpu;
  const redisCpuSeconds = cpuSecondsOf(redis.pid) - redisCpu;
  isOver = true;
  await asking;
  return {
    seconds: rounded(seconds),
    events,
    eventsPerSecond: Math.round(events / seconds),
    serverCpuPercent: rounded((serverCpuSeconds / seconds) * 100),
    redisCpuPercent: rounded((redisCpuSeconds / seconds) * 100),
    serverRssMib: Math.round(memoryOf(server.pid) / 2 ** 20),
    answerMs: quantilesOf(answers),
    storedAfterMs: quantilesOf(await delaysOf(server, redis, trainers[0]!)),
  };
}

/** From the time that Redis got the latest events of a trainer to the time that the server stored them. */
async function delaysOf(server: RestartableServer, redis: RedisServer, { lease }: SyntheticTrainer) {
  const connection = new Redis(redis.address);
  const entries = await connection.xrevrange(streamOf(lease!), '+', '-', 'COUNT', MAX_DELAYS);
  connection.disconnect();
  const sentAt = new Map(
    entries.map(([id, [, json]]) => {
      const entry = RunEntry.parse(JSON.parse(json!));
      return [entry.type === 'event' && entry.seq, Number.parseInt(id, 10)];
    }),
  );
  const events = await readEvents(server, lease!.experimentId);
  return events.flatMap(({ type, time, data }) => {
    const sent = type === 'step' ? sentAt.get(Number(data.step)) : undefined; // its number is that of the step
    return sent === undefined ? [] : [Date.parse(time) - sent];
  });
}

function quantilesOf(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function untilStored(
  server: RestartableServer,
  { lease }: SyntheticTrainer,
  step: number,
): Promise<void> {
  for (;;) {
    const { latest } = await server.get<{ latest: { step: number | null } }>(
      `/experiments/${lease!.experimentId}`,
    );
    if ((latest.step ?? 0) >= step) return;
    await after(TICK_MS);
  }
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
