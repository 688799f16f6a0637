/** Trainings on several machines that fail one after another, and what must hold all the same. */
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { attemptsOf, attemptsThatMix, eventsOfAttempt, type Remains, remainsOf } from './attempts.js';
import { Cluster, type ClusterTrainer, type HeldLease } from './cluster.js';
import { type Disturbance, type DisturbanceOptions, planDisturbances } from './disturbances.js';
import { Follower, type ReceivedEvent, readEvents } from './follower.js';
import { RestartableServer } from './restartable-server.js';
import { type Scope, scopedFolder, withScope } from './scope.js';
import { smallTraining } from './small-training.js';
import { entriesInStream, requestWithStaleLease, type StaleRequests } from './stale-lease.js';

export interface MachinesOptions extends DisturbanceOptions {
  readonly experiments: number;
  /** Of the experiments; they take turns. */
  readonly seeds: number;
  readonly epochs: number;
  /** Longest time from the last disturbance to the end. */
  readonly limitSeconds: number;
  readonly log?: (line: string) => void;
}

/** A training whose trainer was cut off, and what became of it. */
export interface Zombie {
  readonly experiment: number;
  readonly attempt: number;
  readonly cutSeconds: number;
  /** Whether another attempt was made meanwhile. */
  readonly lostItsLease: boolean;
  /** What the trainer printed when it let go. */
  readonly said: string | null;
  /** Entries of its stream in Redis that are not stored as events: its outcome, the forged one, those that came too late. */
  readonly entriesNotStored: number;
  /** Answer to a forged file of this attempt, sent while the next one trained; null if there was none. */
  readonly forgedFile: StaleRequests['answer'];
}

export interface MachinesReport {
  readonly disturbances: readonly (Disturbance & { readonly experimentsTraining: number })[];
  readonly zombies: readonly Zombie[];
  readonly eventsReceived: number;
  /** Empty if everything held; each line says what did not. */
  readonly violations: readonly string[];
  readonly experiments: readonly {
    readonly seed: number;
    readonly digest: string;
    readonly digestLeftAlone: string;
    readonly events: number;
    readonly attempts: number;
  }[];
}

const SLOTS_ALONE = 2;
const ZOMBIE_WAIT_MS = 60_000;

/** Trains each kind of experiment once left alone, then all of them on machines that fail by plan. */
export async function runMachines(options: MachinesOptions): Promise<MachinesReport> {
  const { experiments, seeds, epochs, log = () => {} } = options;
  const kinds = Array.from({ length: seeds }, (_, index) => smallTraining(index + 1, epochs));
  const alone = await withScope((scope) => trainAlone(scope, kinds));
  log(`left alone: ${alone.length} experiments succeeded`);
  return withScope(async (scope) => {
    const cluster = await Cluster.start(scope, options.trainers);
    const { server, trainers } = cluster;
    await Promise.all(trainers.map((trainer) => trainer.start()));
    const ids = await server.createAll(
      Array.from({ length: experiments }, (_, index) => kinds[index % seeds]!),
    );
    const followers = ids.map((id) => new Follower(server, id));
    const { disturbances, cuts } = await disturb(cluster, followers, options);
    await withinLimit(followers, options.limitSeconds);
    log('all experiments have ended');
    const stored = await Promise.all(ids.map((id) => readEvents(server, id)));
    const zombies = await Promise.all(
      cuts.map((cut) => zombieOf(cluster, cut, { index: ids.indexOf(cut.lease.id), stored })),
    );
    const remains = await Promise.all(ids.map((id) => remainsOf(server, join(cluster.folder, 'data'), id)));
    return {
      disturbances,
      zombies,
      eventsReceived: followers.reduce((total, { received }) => total + received, 0),
      violations: [
        ...followers.flatMap((follower, index) => follower.compare(stored[index]!)),
        ...stored.flatMap((events, index) => attemptsThatMix(ids[index]!, events)),
        ...zombies.flatMap(whatIsWrongWith),
        ...remains.flatMap((each, index) => differences(ids[index]!, each, alone[index % seeds]!)),
      ],
      experiments: remains.map(({ digest }, index) => ({
        seed: kinds[index % seeds]!.training.seed,
        digest,
        digestLeftAlone: alone[index % seeds]!.digest,
        events: stored[index]!.length,
        attempts: attemptsOf(stored[index]!),
      })),
    };
  });
}

async function trainAlone(scope: Scope, configs: readonly object[]): Promise<Remains[]> {
  const folder = scopedFolder(scope);
  const server = new RestartableServer({
    GATELM_DATA_DIR: folder,
    GATELM_THREADS: '1',
    GATELM_TRAINING_SLOTS: String(SLOTS_ALONE),
  });
  scope.after(() => server.end('SIGTERM'));
  await server.start();
  const ids = await server.createAll(configs);
  await Promise.all(ids.map((id) => new Follower(server, id).digest));
  return Promise.all(ids.map((id) => remainsOf(server, folder, id)));
}

interface Cut {
  readonly lease: HeldLease;
  readonly trainer: ClusterTrainer;
  readonly seconds: number;
  readonly forged: Promise<StaleRequests>;
}

/** Carries out the plan; each disturbance ends by itself while others begin. */
async function disturb(cluster: Cluster, followers: readonly Follower[], options: MachinesOptions) {
  const { log = () => {} } = options;
  const start = Date.now();
  const cuts: Cut[] = [];
  const disturbances: MachinesReport['disturbances'][number][] = [];
  const ends: Promise<void>[] = [];
  for (const disturbance of planDisturbances(options)) {
    const { atSeconds, kind, seconds } = disturbance;
    await after(Math.max(0, start + atSeconds * 1000 - Date.now()));
    const trainer = disturbance.trainer === null ? null : cluster.trainers[disturbance.trainer]!;
    const lease = kind === 'cut-trainer' ? trainer?.held : null;
    const follower = followers.find(({ id }) => id === lease?.id);
    if (lease && trainer && follower)
      cuts.push({ lease, trainer, seconds, forged: requestWithStaleLease(cluster, follower, lease) });
    const experimentsTraining = followers.filter(({ isTraining }) => isTraining).length;
    disturbances.push({ ...disturbance, experimentsTraining });
    log(
      `${atSeconds} s: ${kind} ${disturbance.trainer ?? ''} for ${seconds} s; ${experimentsTraining} trained`,
    );
    ends.push(carryOut(cluster, disturbance));
  }
  await Promise.all(ends);
  return { disturbances, cuts };
}

async function carryOut(
  { redis, server, trainers }: Cluster,
  { kind, trainer, seconds }: Disturbance,
): Promise<void> {
  if (kind === 'cut-trainer') trainers[trainer!]!.cut();
  else await targetOf(kind).end('SIGKILL');
  await after(seconds * 1000);
  if (kind === 'cut-trainer') trainers[trainer!]!.mend();
  else await targetOf(kind).start();

  function targetOf(which: Exclude<Disturbance['kind'], 'cut-trainer'>) {
    if (which === 'kill-redis') return redis;
    return which === 'kill-server' ? server : trainers[trainer!]!;
  }
}

/** @throws Error naming those that have not ended in time */
async function withinLimit(followers: readonly Follower[], limitSeconds: number): Promise<void> {
  const limit = new AbortController();
  const ended = Promise.all(followers.map(({ digest }) => digest));
  await Promise.race([ended, after(limitSeconds * 1000, null, { signal: limit.signal })]);
  limit.abort();
  const open = followers.filter(({ hasEnded }) => !hasEnded);
  if (open.length > 0)
    throw new Error(`after ${limitSeconds} s these have not ended: ${open.map(({ id }) => id).join(', ')}`);
}

async function zombieOf(
  cluster: Cluster,
  { lease, trainer, seconds, forged }: Cut,
  { index, stored }: { readonly index: number; readonly stored: readonly (readonly ReceivedEvent[])[] },
): Promise<Zombie> {
  const events = stored[index]!;
  return {
    experiment: index,
    attempt: lease.attempt,
    cutSeconds: seconds,
    lostItsLease: attemptsOf(events) > lease.attempt,
    said: await lastWord(trainer, lease),
    entriesNotStored: (await entriesInStream(cluster, lease)) - eventsOfAttempt(events, lease.attempt),
    forgedFile: (await forged).answer,
  };
}

async function lastWord(trainer: ClusterTrainer, lease: HeldLease): Promise<string | null> {
  for (const end = Date.now() + ZOMBIE_WAIT_MS; Date.now() < end; await after(100)) {
    const word = trainer.endOf(lease);
    if (word !== null) return word;
  }
  return null;
}

function whatIsWrongWith({ experiment, attempt, lostItsLease, forgedFile, said }: Zombie): string[] {
  if (!lostItsLease) return [];
  const name = `experiment ${experiment}, attempt ${attempt}`;
  const wasRefused = forgedFile === null || forgedFile === 'lease-lost';
  return [
    ...(wasRefused ? [] : [`${name}: a forged file was answered with ${forgedFile}`]),
    ...(said === null ? [`${name}: its trainer has not let go of it`] : []),
  ];
}

function differences(id: string, found: Remains, expected: Remains): string[] {
  return (['digest', 'files', 'epochs'] as const).flatMap((part) => {
    const [here, alone] = [JSON.stringify(found[part]), JSON.stringify(expected[part])];
    return here === alone ? [] : [`${id}: ${part} ${here}, left alone ${alone}`];
  });
}
