/**
 * How long a training stands still when its trainer dies, and how much more trainers of one thread do:
 *
 *     node dist/bench/machines-speed.js --out results/machines-speed.json
 *     node dist/bench/machines-speed.js --kills 2 --rounds 1 --experiments 4 --epochs 1
 *
 * Everything runs on this machine: more trainers than cores share the cores.
 */
import { parseArgs } from 'node:util';
import { Cluster } from './cluster.js';
import { Follower } from './follower.js';
import { medianOf } from './median.js';
import { RestartableServer } from './restartable-server.js';
import { describeRun, reportResults } from './run-record.js';
import { type Scope, scopedFolder, withScope } from './scope.js';
import { smallTraining } from './small-training.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '7' },
    rounds: { type: 'string', default: '3' },
    experiments: { type: 'string', default: '8' },
    epochs: { type: 'string', default: '4' },
    out: { type: 'string' },
  },
});
const KILLS = Number(values.kills);
const ROUNDS = Number(values.rounds);
const EXPERIMENTS = Number(values.experiments);
const EPOCHS = Number(values.epochs);
/** Numbers of trainers; 0 = the server trains by itself, without a queue. */
const TRAINERS = [0, 1, 2, 4];
const ENDLESS_EPOCHS = 10_000;

interface Failover {
  /** From the death of the trainer to the event `interrupted`. */
  readonly noticedSeconds: number;
  /** From the death of the trainer to the first step event of the next attempt. */
  readonly continuedSeconds: number;
}

interface Throughput {
  readonly trainers: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly experimentsPerMinute: number;
}

const run = describeRun();
const failovers = KILLS > 0 ? await withScope(measureFailover) : [];
const rounds: Throughput[] = [];
for (let round = 0; round < ROUNDS; round++)
  for (const trainers of TRAINERS) {
    const measured = await withScope((scope) => measureThroughput(scope, trainers));
    console.log(JSON.stringify(measured));
    rounds.push(measured);
  }
const medians = TRAINERS.map((trainers) => {
  const own = rounds.filter((each) => each.trainers === trainers);
  return {
    trainers,
    tokensPerSecond: Math.round(medianOf(own.map(({ tokensPerSecond }) => tokensPerSecond))),
    experimentsPerMinute: rounded(medianOf(own.map(({ experimentsPerMinute }) => experimentsPerMinute))),
  };
});
const continued = failovers.map(({ continuedSeconds }) => continuedSeconds);
const results = {
  ...run,
  training: smallTraining(1, EPOCHS, null),
  failover: {
    medianSeconds: rounded(medianOf(continued)),
    maxSeconds: rounded(Math.max(...continued)),
    kills: failovers,
  },
  throughput: { experiments: EXPERIMENTS, medians, rounds },
};
reportResults(results, values.out);
process.exit(0);

/** Kills the trainer that has the training, again and again; the other one continues. */
async function measureFailover(scope: Scope): Promise<Failover[]> {
  const { server, trainers } = await Cluster.start(scope, 2);
  await Promise.all(trainers.map((trainer) => trainer.start()));
  const [id] = await server.createAll([smallTraining(1, ENDLESS_EPOCHS)]);
  const follower = new Follower(server, id!);
  const failovers: Failover[] = [];
  while (failovers.length < KILLS) {
    await follower.next(follower.received, ({ type }) => type === 'checkpoint');
    const holder = trainers.find(({ held }) => held?.id === id)!;
    const since = follower.received;
    const killedAt = Date.now();
    await holder.end('SIGKILL');
    const interrupted = await follower.next(since, ({ type }) => type === 'interrupted');
    const step = await follower.next(interrupted.seq, ({ type }) => type === 'step');
    const secondsTo = ({ time }: { time: string }) => (Date.parse(time) - killedAt) / 1000;
    failovers.push({ noticedSeconds: secondsTo(interrupted), continuedSeconds: secondsTo(step) });
    console.log(JSON.stringify(failovers.at(-1)));
    await holder.start();
  }
  return failovers;
}

async function measureThroughput(scope: Scope, trainers: number): Promise<Throughput> {
  const server = trainers === 0 ? await startAlone(scope) : await startCluster(scope, trainers);
  await trainAll(server, trainers || 1, 1); // every trainer has loaded everything
  const start = performance.now();
  const tokens = await trainAll(server, EXPERIMENTS, EPOCHS);
  const seconds = (performance.now() - start) / 1000;
  return {
    trainers,
    seconds: rounded(seconds),
    tokensPerSecond: Math.round(tokens / seconds),
    experimentsPerMinute: rounded((EXPERIMENTS / seconds) * 60),
  };
}

async function startCluster(scope: Scope, count: number): Promise<RestartableServer> {
  const { server, trainers } = await Cluster.start(scope, count);
  await Promise.all(trainers.map((trainer) => trainer.start()));
  return server;
}

async function startAlone(scope: Scope): Promise<RestartableServer> {
  const server = new RestartableServer({
    GATELM_DATA_DIR: scopedFolder(scope),
    GATELM_THREADS: '1',
    GATELM_TRAINING_SLOTS: '1',
  });
  scope.after(() => server.end('SIGKILL'));
  await server.start();
  return server;
}

/** @returns tokens that were trained */
async function trainAll(server: RestartableServer, count: number, epochs: number): Promise<number> {
  const ids = await server.createAll(
    Array.from({ length: count }, (_, index) => smallTraining(index + 1, epochs, null)),
  );
  const followers = ids.map((id) => new Follower(server, id));
  await Promise.all(followers.map(({ digest }) => digest));
  const started = await followers[0]!.next(0, ({ type }) => type === 'started');
  return Number(started.data.trainTokens) * epochs * count;
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
