/** Rows of the sweep tables, and the events of a sweep. */
import { z } from 'zod';
import { SerializedError } from './serialized-error.js';
import { SettingPath, SweepInput } from './sweep.js';

const count = z.int().min(0);
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

export const SweepState = z
  .enum(['running', 'paused', 'finished', 'cancelled'])
  .describe('finished: a limit was reached or nothing is left to try; extend continues it');
export type SweepState = z.infer<typeof SweepState>;

export const SweepEndReason = z
  .enum(['experiments', 'time', 'space'])
  .describe('The limit on experiments or on time was reached, or every point of the space was tried');
export type SweepEndReason = z.infer<typeof SweepEndReason>;

/** The maximum number of trials, in effect after this many rung decisions. */
export const TrialLimit = z.strictObject({ afterRungs: count, trials: count });
export type TrialLimit = z.infer<typeof TrialLimit>;

export const SweepPointSchema = z
  .record(SettingPath, z.unknown())
  .describe('The value of each setting that applies, by path');

/** A row of the table `sweeps`. */
export const SweepRecord = z.object({
  number: z.int(),
  id: z.string(),
  name: z.string(),
  input: json(SweepInput),
  trialLimits: json(z.array(TrialLimit)),
  state: SweepState,
  reason: SweepEndReason.nullable(),
  bestTrial: count.nullable(),
  bestValue: z.number().nullable(),
  runningMs: count,
  createdAt: z.string(),
  endedAt: z.string().nullable(),
  seq: count,
});
export type SweepRecord = z.infer<typeof SweepRecord>;

/** The fields of a sweep that may change. */
export type SweepPatch = Partial<
  Pick<
    SweepRecord,
    'input' | 'trialLimits' | 'state' | 'reason' | 'bestTrial' | 'bestValue' | 'runningMs' | 'endedAt'
  >
>;

export const TrialPhase = z
  .enum(['running', 'waiting', 'over'])
  .describe('waiting: paused at a rung; over: completed, stopped early, or failed');
export type TrialPhase = z.infer<typeof TrialPhase>;

/** A row of the table `sweep_trials`. */
export const TrialRecord = z.object({
  trial: count,
  point: json(SweepPointSchema),
  phase: TrialPhase,
  toEpoch: count,
  error: z.union([z.null(), json(SerializedError)]),
});
export type TrialRecord = z.infer<typeof TrialRecord>;

export const RunOutcome = z.enum(['succeeded', 'failed']);
export type RunOutcome = z.infer<typeof RunOutcome>;

/** A row of the table `sweep_runs`. */
export const RunRecord = z.object({
  trial: count,
  repetition: count,
  experimentId: z.string(),
  curve: json(z.array(z.number().nullable())),
  outcome: RunOutcome.nullable(),
  rests: z.union([z.literal(0), z.literal(1)]).transform((value) => value === 1),
});
export type RunRecord = z.infer<typeof RunRecord>;

const trial = count.describe('Number of the trial, from 0');
const value = z.number().nullable().describe('The objective at its best epoch so far; null: not finite');

/** The events of a sweep. */
export const SweepEventData = {
  started: z.strictObject({}),
  /** A new trial: its experiments are queued. */
  trial: z.strictObject({
    trial,
    point: SweepPointSchema,
    experimentIds: z.array(z.string()),
    toEpoch: count.describe('The epoch up to which it trains before the next decision'),
    error: SerializedError.nullable().describe('Why no experiment could be created for the point'),
  }),
  /** A trial has reached a rung or its end. */
  rung: z.strictObject({ trial, epoch: count, value, phase: TrialPhase }),
  /** A trial that waited at a rung continues. */
  promoted: z.strictObject({ trial, toEpoch: count }),
  /** A trial is the best so far. */
  best: z.strictObject({ trial, value, point: SweepPointSchema }),
  paused: z.strictObject({}),
  resumed: z.strictObject({}),
  extended: z.strictObject({
    experiments: count.describe('The new limit'),
    maxDuration: z.number().nullable().describe('The new limit, in seconds'),
  }),
  cancelled: z.strictObject({}),
  finished: z.strictObject({
    reason: SweepEndReason,
    bestTrial: count.nullable(),
    bestValue: z.number().nullable(),
  }),
} as const;

export type SweepEventType = keyof typeof SweepEventData;
export const SWEEP_EVENT_TYPES = Object.keys(SweepEventData) as [SweepEventType, ...SweepEventType[]];
export type SweepEvent = {
  [Type in SweepEventType]: { readonly type: Type; readonly data: z.infer<(typeof SweepEventData)[Type]> };
}[SweepEventType];

/** An event of a sweep as it is stored and sent. */
export const StoredSweepEvent = z
  .object({
    sweepId: z.string(),
    seq: z.int().min(1).describe('1, 2, 3 … within the sweep'),
    time: z.string().describe('ISO 8601, UTC'),
    type: z.enum(SWEEP_EVENT_TYPES),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({
    id: 'SweepEvent',
    examples: [
      {
        sweepId: '01m89q4d7dz5b7hca5',
        seq: 3,
        time: '2026-11-25T16:04:41.608Z',
        type: 'rung',
        data: { trial: 0, epoch: 1, value: 5.42, phase: 'waiting' },
      },
    ],
  });
export type StoredSweepEvent = z.infer<typeof StoredSweepEvent>;

/** Event types after which no other follows, unless the sweep is extended. */
export const FINAL_SWEEP_EVENT_TYPES: readonly SweepEventType[] = ['finished', 'cancelled'];
