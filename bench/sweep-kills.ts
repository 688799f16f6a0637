/**
 * A sweep of small trials with asha, left alone, killed on its way, and without stopping:
 *
 *     node dist/bench/sweep-kills.js --out results/sweep-asha.json
 *     node dist/bench/sweep-kills.js --trials 9 --epochs 3
 *
 * The killed one must propose the same points, stop the same trials, and end in the same bytes as the one left alone. Ends
 * with 1 otherwise. Trains the small model of characters on the embedded corpus, one thread, two trials at a time.
 */

import { setTimeout as after } from 'node:timers/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { RestartableServer } from './restartable-server.js';
import { describeRun, reportResults } from './run-record.js';
import { type Scope, scopedFolder, withScope } from './scope.js';
import { smallTraining } from './small-training.js';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '30' },
    epochs: { type: 'string', default: '9' },
    kills: { type: 'string', default: '2' },
    out: { type: 'string' },
  },
});
const TRIALS = Number(values.trials);
const EPOCHS = Number(values.epochs);
const KILLS = Number(values.kills);
const PARALLEL = 2;
const POLL_MS = 100;

/** Without the ids of its experiments, which every server makes anew. */
interface Best {
  readonly trial: number;
  readonly point: object;
  readonly value: number;
  readonly bestEpoch: number;
}

interface Sweep {
  readonly id: string;
  readonly state: string;
  readonly trials: { readonly proposed: number };
  readonly best: Best & { readonly experimentIds: readonly string[] };
  readonly epochs: { readonly trained: number; readonly withoutStopping: number };
}

interface Trial {
  readonly experimentIds: readonly string[];
  readonly state: string;
}

interface Found {
  readonly seconds: number;
  readonly epochsTrained: number;
  readonly stepsTrained: number;
  readonly best: Best;
  /** Each trial with the digest of its weights. */
  readonly trials: readonly object[];
}

const run = describeRun();
const alone = await withScope((scope) => search(scope, 'asha', 0));
console.log(`left alone: ${describe(alone)}`);
const killed = await withScope((scope) => search(scope, 'asha', KILLS));
console.log(`killed ${KILLS} times: ${describe(killed)}`);
const whole = await withScope((scope) => search(scope, 'none', 0));
console.log(`without stopping: ${describe(whole)}`);

const violations = [
  ...(isDeepStrictEqual(killed.best, alone.best) ? [] : ['another best']),
  ...(isDeepStrictEqual(killed.trials, alone.trials) ? [] : ['other trials or other bytes']),
];
const results = {
  ...run,
  trials: TRIALS,
  epochs: EPOCHS,
  parallel: PARALLEL,
  kills: KILLS,
  violations,
  leftAlone: summaryOf(alone),
  killed: summaryOf(killed),
  withoutStopping: summaryOf(whole),
  savedSteps: shareSaved(alone.stepsTrained, whole.stepsTrained),
  savedSeconds: shareSaved(alone.seconds, whole.seconds),
};
reportResults(results, values.out);
process.exit(violations.length > 0 ? 1 : 0);

/** Runs a whole sweep on a server of its own, which is killed at even distances of proposed trials. */
async function search(scope: Scope, stopping: 'asha' | 'none', kills: number): Promise<Found> {
  const server = new RestartableServer({
    GATELM_DATA_DIR: scopedFolder(scope),
    GATELM_THREADS: '1',
    GATELM_TRAINING_SLOTS: String(PARALLEL),
    GATELM_MAX_RESTARTS: '1000',
  });
  scope.after(() => server.end('SIGKILL'));
  await server.start();
  const start = performance.now();
  const { id } = await server.post<Sweep>('/sweeps', bodyOf(stopping));
  for (let kill = 1; kill <= kills; kill++) {
    await until(server, id, ({ trials }) => trials.proposed >= (kill * TRIALS) / (kills + 1));
    await server.end('SIGKILL');
    await server.start();
  }
  const { best, epochs } = await until(server, id, ({ state }) => state === 'finished');
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  const { trial, point, value, bestEpoch } = best;
  return {
    seconds,
    epochsTrained: epochs.trained,
    best: { trial, point, value, bestEpoch },
    ...(await trialsOf(server, id)),
  };
}

function bodyOf(stopping: 'asha' | 'none') {
  const { corpus, tokenizer, model, optimizer, training } = smallTraining(1, EPOCHS);
  return {
    corpus,
    base: { tokenizer, model, optimizer: { type: optimizer.type }, training },
    space: {
      'optimizer.learningRate': { type: 'log-uniform', low: 0.0003, high: 0.03 },
      'model.dropout.hidden': { type: 'uniform', low: 0, high: 0.5 },
    },
    stopping: { type: stopping },
    limits: { experiments: TRIALS, parallel: PARALLEL },
  };
}

async function until(
  server: RestartableServer,
  id: string,
  isReached: (sweep: Sweep) => boolean,
): Promise<Sweep> {
  for (;;) {
    const sweep = await server.get<Sweep>(`/sweeps/${id}`);
    if (isReached(sweep)) return sweep;
    await after(POLL_MS);
  }
}

/** The table of trials; the last trainings write their files first. */
async function trialsOf(
  server: RestartableServer,
  id: string,
): Promise<Pick<Found, 'trials' | 'stepsTrained'>> {
  const active = `/experiments?tag=sweep:${id}&state=queued,preparing,running,pausing`;
  while ((await server.get<{ items: object[] }>(active)).items.length > 0) await after(POLL_MS);
  const { items } = await server.get<{ items: Trial[] }>(`/sweeps/${id}/trials`);
  let stepsTrained = 0;
  const trials = items.map(async ({ experimentIds, ...trial }) => {
    const { digest, state, latest } = await server.get<{
      digest: string | null;
      state: string;
      latest: { step: number | null };
    }>(`/experiments/${experimentIds[0]}`);
    stepsTrained += latest.step ?? 0;
    return { ...trial, digest, experimentState: state };
  });
  return { trials: await Promise.all(trials), stepsTrained };
}

function describe({ seconds, epochsTrained, best }: Found): string {
  return `${seconds} s, ${epochsTrained} epochs, best ${best.value} at ${JSON.stringify(best.point)}`;
}

function summaryOf({ seconds, epochsTrained, stepsTrained, best }: Found) {
  return { seconds, epochsTrained, stepsTrained, best };
}

function shareSaved(needed: number, before: number): number {
  return Number((1 - needed / before).toFixed(3));
}
