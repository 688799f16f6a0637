/** A sweep in the HTTP API, and the bodies and queries of its actions. */
import { z } from 'zod';
import { exampleOf } from './example-of.js';
import { ListEventsQuery } from './progress.js';
import { SerializedError } from './serialized-error.js';
import { SWEEP_EXAMPLE, SweepInput, SweepLimits } from './sweep.js';
import { StoredSweepEvent, SweepEndReason, SweepPointSchema, SweepState } from './sweep-record.js';

const count = z.int().min(0);

const EXAMPLE_SWEEP_ID = '01m89q4d7dz5b7hca5';
const EXAMPLE_TRIAL = {
  trial: 7,
  state: 'finished',
  point: { 'optimizer.learningRate': 12.3, 'model.dropout.output': 0.15 },
  epochs: 9,
  value: 4.71,
  bestEpoch: 9,
  experimentIds: ['01m89q4d7dz5b7hca4'],
  error: null,
} as const;

export const TrialState = z
  .enum(['running', 'waiting', 'stopped', 'finished', 'failed'])
  .describe(
    'waiting: paused at a rung, may be promoted; stopped: does not continue unless the sweep is extended; finished: trained to its end',
  );

/** A trial, as listed for a sweep. */
export const SweepTrial = z
  .object({
    trial: count.describe('Number of the trial, from 0 in order of proposal'),
    state: TrialState,
    point: SweepPointSchema,
    epochs: count.describe('Epochs up to the rung that it has reached or is training to'),
    value: z
      .number()
      .nullable()
      .describe('The objective at its best epoch, averaged over its seeds; null: none yet, or not finite'),
    bestEpoch: count.nullable().describe('The epoch with that value'),
    experimentIds: z.array(z.string()).describe('One per seed'),
    error: SerializedError.nullable(),
  })
  .meta({ id: 'SweepTrial', examples: [EXAMPLE_TRIAL] });
export type SweepTrial = z.infer<typeof SweepTrial>;

const { name: EXAMPLE_NAME = '', ...EXAMPLE_INPUT } = SweepInput.parse(SWEEP_EXAMPLE);
const EXAMPLE_SWEEP = {
  ...EXAMPLE_INPUT,
  id: EXAMPLE_SWEEP_ID,
  name: EXAMPLE_NAME,
  state: 'finished',
  reason: 'experiments',
  createdAt: '2026-11-25T16:03:01.486Z',
  endedAt: '2026-11-25T16:31:43.418Z',
  runningSeconds: 1721.9,
  seq: 98,
  trials: { proposed: 30, running: 0, waiting: 0, stopped: 26, finished: 4, failed: 0, limit: 30 },
  epochs: { trained: 72, withoutStopping: 270 },
  best: EXAMPLE_TRIAL,
  importance: { 'optimizer.learningRate': 0.83, 'model.dropout.output': 0.17 },
  links: { self: `/sweeps/${EXAMPLE_SWEEP_ID}`, trials: `/sweeps/${EXAMPLE_SWEEP_ID}/trials` },
} as const;

export const Sweep = SweepInput.omit({ name: true })
  .extend({
    id: z.string(),
    name: z.string(),
    state: SweepState,
    reason: SweepEndReason.nullable().describe('Why the sweep finished'),
    createdAt: z.string().describe('ISO 8601, UTC'),
    endedAt: z.string().nullable(),
    runningSeconds: z.number().describe('Running time so far in seconds, without pauses'),
    seq: count.describe('Number of its latest event'),
    trials: z
      .object({
        proposed: count,
        running: count,
        waiting: count,
        stopped: count,
        finished: count,
        failed: count,
        limit: count.describe('Maximum number of trials under the limit on experiments'),
      })
      .describe('Numbers of trials'),
    epochs: z
      .object({
        trained: count.describe('Epochs trained by all trials and seeds'),
        withoutStopping: count.describe(
          'Epochs that the same trials would have trained without early stopping',
        ),
      })
      .describe('Epochs saved by early stopping'),
    best: SweepTrial.nullable().describe('The trial with the lowest value so far'),
    importance: z
      .record(z.string(), z.number())
      .nullable()
      .describe(
        'Importance of each setting for being among the best trials, summing to 1 (PED-ANOVA; Watanabe et al. 2023, arXiv 2304.10255); null while there are fewer than 10 trials',
      ),
    links: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Sweep', examples: [EXAMPLE_SWEEP] });
export type Sweep = z.infer<typeof Sweep>;

export const SweepParams = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(200)
    .describe('Id or name of a sweep')
    .meta({ examples: [EXAMPLE_SWEEP_ID] }),
});

export const ListSweepsQuery = z.strictObject({
  limit: z.int().min(1).max(100).default(20).describe('Maximum number of sweeps per page'),
  cursor: z.string().min(1).max(100).optional().describe('nextCursor of the previous page'),
});

export const SweepPage = z
  .object({
    items: z.array(Sweep),
    nextCursor: z.string().nullable().describe('Cursor of the next page; null on the last page'),
  })
  .meta({ id: 'SweepPage', examples: [{ items: [EXAMPLE_SWEEP], nextCursor: null }] });

export const CreateSweepQuery = z.strictObject({
  dryRun: z
    .boolean()
    .default(false)
    .describe('Validate the body and return the plan and its estimated duration without storing anything'),
});

export const ExtendSweepBody = z
  .strictObject({
    experiments: SweepLimits.shape.experiments
      .removeDefault()
      .optional()
      .describe('Experiments to add to the current limit'),
    maxDuration: z
      .number()
      .gt(0)
      .max(31_536_000)
      .optional()
      .describe('Seconds to add to the current limit, or to the running time if there is no limit'),
  })
  .refine(
    ({ experiments, maxDuration }) => experiments !== undefined || maxDuration !== undefined,
    'requires experiments or maxDuration',
  )
  .meta({ examples: [{ experiments: 10 }] });
export type ExtendSweepBody = z.infer<typeof ExtendSweepBody>;

export const SweepTrialsQuery = z.strictObject({
  sort: z
    .enum(['trial', 'value'])
    .default('trial')
    .describe('trial: in order of proposal; value: best first'),
  format: z.enum(['json', 'csv']).optional().describe('Format of the response; overrides the Accept header'),
});

export const SweepTrialList = z
  .object({ items: z.array(SweepTrial) })
  .meta({ id: 'SweepTrialList', examples: [{ items: [EXAMPLE_TRIAL] }] });

/** The result of a dry run: the sweep as it would be created. */
export const SweepPlanBody = z
  .object({
    dryRun: z.literal(true),
    sweep: SweepInput.extend({ name: z.string() }),
    trials: count.describe('Number of trials'),
    firstPoints: z.array(SweepPointSchema).describe('The first points to be tried'),
    epochs: count.describe('Epochs of all trials and seeds; an estimate if trials may stop early'),
    estimate: z
      .object({
        secondsPerEpoch: z.number().describe('Mean of the first points, at the speed of a short trial run'),
        seconds: z.number().describe('Duration of the whole sweep with its parallel trials'),
      })
      .nullable()
      .describe(
        'Measured on this machine under its load at that time; null if it could not be estimated, see reason',
      ),
    reason: z.string().optional().describe('Why there is no estimate'),
  })
  .meta({
    id: 'SweepPlan',
    examples: [
      {
        dryRun: true,
        sweep: { ...EXAMPLE_INPUT, name: EXAMPLE_NAME },
        trials: 30,
        firstPoints: [EXAMPLE_TRIAL.point],
        epochs: 72,
        estimate: { secondsPerEpoch: 21.5, seconds: 774 },
      },
    ],
  });
export type SweepPlanBody = z.infer<typeof SweepPlanBody>;

export const SweepEventsQuery = ListEventsQuery.omit({ types: true });

export const SweepEventPage = z
  .object({
    items: z.array(StoredSweepEvent),
    nextSince: z.int().describe('The `since` of the next page: the number of the last event of this page'),
    hasMore: z.boolean(),
  })
  .meta({
    id: 'SweepEventPage',
    examples: [{ items: [exampleOf(StoredSweepEvent)], nextSince: 3, hasMore: false }],
  });

/** The first message of the progress socket of a sweep. */
export const SweepSnapshot = z
  .object({
    type: z.literal('snapshot'),
    sweep: Sweep,
    seq: z.int().describe('Number of the latest event'),
  })
  .meta({ id: 'SweepSnapshot', examples: [{ type: 'snapshot', sweep: EXAMPLE_SWEEP, seq: 98 }] });
