import type { InferenceExecutor } from '../../compute/inference-executor.js';
import type { SweepInput, SweepPoint } from '../../contracts/sweep.js';
import type { SweepPlanBody } from '../../contracts/sweep-view.js';
import { AppError, serializeError } from '../../errors.js';
import { LabelledRandom } from '../../sweeps/labelled-random.js';
import type { SweepSchedule } from '../../sweeps/sweep-schedule.js';
import { trialExperiment } from '../../sweeps/trial-config.js';
import type { Corpora } from '../corpora.js';
import { buildSchedule, trialsWithin } from './build-schedule.js';
import { checkSweep } from './check-sweep.js';

/** Number of points whose speed is measured. */
const TRIED_POINTS = 3;
/** Number of points in the plan. */
const SHOWN_POINTS = 10;

export interface PlanSweepDependencies {
  readonly corpora: Corpora;
  readonly executor: InferenceExecutor;
  /** Trainings that run in parallel. */
  readonly slots: number;
}

/**
 * The plan of POST /sweeps, with its duration estimated from short trial runs of its first points.
 * @throws validation-failed, corpus-not-found, corpus-too-short
 */
export async function planSweep(
  { corpora, executor, slots }: PlanSweepDependencies,
  body: unknown,
  signal: AbortSignal,
): Promise<SweepPlanBody> {
  const sweep = await checkSweep(corpora, body);
  const schedule = simulate(sweep);
  const points = schedule.trials.map(({ point }) => point);
  const epochs = sweep.seedsPerPoint * schedule.trials.reduce((sum, { toEpoch }) => sum + toEpoch, 0);
  const plan = {
    dryRun: true,
    sweep,
    trials: points.length,
    firstPoints: points.slice(0, SHOWN_POINTS),
    epochs,
  } as const;
  try {
    const secondsPerEpoch = await meanSecondsPerEpoch(sweep, points.slice(0, TRIED_POINTS), (config) =>
      executor.run({ type: 'estimate', config }, { signal }),
    );
    if (secondsPerEpoch === null)
      return {
        ...plan,
        estimate: null,
        reason: 'The models are too large to be tried beside the running trainings',
      };
    const sideBySide = Math.min(slots, sweep.limits.parallel * sweep.seedsPerPoint);
    return { ...plan, estimate: { secondsPerEpoch, seconds: (epochs * secondsPerEpoch) / sideBySide } };
  } catch (error) {
    if (error instanceof AppError && error.kind === 'invalid') throw error;
    return { ...plan, estimate: null, reason: serializeError(error).message };
  }
}

/** Simulates the sweep with random results: each trial keeps its rank, so that as many trials stop early as in a real one. */
function simulate(sweep: SweepInput): SweepSchedule {
  const schedule = buildSchedule(sweep, [{ afterRungs: 0, trials: trialsWithin(sweep) }]);
  schedule.advance((index) => {
    const value = new LabelledRandom(sweep.seed, 'rehearsal', index).next();
    const { toEpoch } = schedule.trials[index]!;
    return { values: new Array<number>(toEpoch).fill(value), isOver: false, hasFailed: false };
  });
  return schedule;
}

type Estimate = { readonly measured: { readonly secondsPerEpoch: number } | null };

/** null if a model is too large to be tried. */
async function meanSecondsPerEpoch(
  sweep: SweepInput,
  points: readonly SweepPoint[],
  estimate: (
    config: Omit<ReturnType<typeof trialExperiment>, 'name' | 'tags' | 'notes' | 'priority'>,
  ) => Promise<Estimate>,
): Promise<number | null> {
  let sum = 0;
  for (const point of points) {
    const {
      name: _name,
      tags: _tags,
      notes: _notes,
      priority: _priority,
      ...config
    } = trialExperiment(sweep, point);
    const { measured } = await estimate(config);
    if (measured === null) return null;
    sum += measured.secondsPerEpoch;
  }
  return sum / points.length;
}
