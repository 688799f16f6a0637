/** Rows of the tables of sweeps, and the events of a sweep. */
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
  .describe('finished: nothing is left to try within its limits; extend goes on');
export type SweepState = z.infer<typeof SweepState>;

export const SweepEndReason = z
  .enum(['experiments', 'time', 'space'])
  .describe('The limit of experiments, the limit of time, or every point of the space was tried');
export type SweepEndReason = z.infer<typeof SweepEndReason>;

/** How many trials a sweep may make, from the time on when so many rungs had been judged. */
export const TrialLimit = z.strictObject({ afterRungs: count, trials: count });
export type TrialLimit = z.infer<typeof TrialLimit>;

export const SweepPointSchema = z
  .record(SettingPath, z.unknown())
  .describe('The value of each setting that applies, by path');

/** A row of the table `sweeps`, read. */
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

/** Fields of a sweep that change after it is made. */
export type SweepPatch = Partial<
  Pick<
    SweepRecord,
    'input' | 'trialLimits' | 'state' | 'reason' | 'bestTrial' | 'bestValue' | 'runningMs' | 'endedAt'
  >
>;

export const TrialPhase = z
  .enum(['running', 'waiting', 'over'])
  .describe('waiting: stopped at a rung; over: all epochs done, ended early, or failed');
export type TrialPhase = z.infer<typeof TrialPhase>;

/** A row of the table `sweep_trials`, read. */
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

/** A row of the table `sweep_runs`, read. */
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

/** What a sweep says about itself. */
export const SweepEventData = {
  started: z.strictObject({}),
  /** A new trial: its experiments are queued. */
  trial: z.strictObject({
    trial,
    point: SweepPointSchema,
    experimentIds: z.array(z.string()),
    toEpoch: count.describe('The epoch that it trains to before it is judged'),
    error: SerializedError.nullable().describe('Why the point makes no experiment'),
  }),
  /** A trial has come to a rung, or to its end. */
  rung: z.strictObject({ trial, epoch: count, value, phase: TrialPhase }),
  /** A trial that waited at a rung goes on. */
  promoted: z.strictObject({ trial, toEpoch: count }),
  /** No trial was better so far. */
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
export const StoredSweepEvent = z.object({
  sweepId: z.string(),
  seq: z.int().min(1).describe('1, 2, 3 … within the sweep'),
  time: z.string().describe('ISO 8601, UTC'),
  type: z.enum(SWEEP_EVENT_TYPES),
  data: z.record(z.string(), z.unknown()),
});
export type StoredSweepEvent = z.infer<typeof StoredSweepEvent>;

/** Event types after which no other comes, unless someone extends the sweep. */
export const FINAL_SWEEP_EVENT_TYPES: readonly SweepEventType[] = ['finished', 'cancelled'];
