/** The body of POST /sweeps: what is tried, in which order, and when a trial is not worth going on with. */
import { z } from 'zod';
import { CorpusName } from './corpus.js';
import { ExperimentName, ExperimentNotes, ExperimentTags } from './experiment-config.js';
import { PresetName } from './presets.js';

export const SettingPath = z
  .string()
  .min(1)
  .max(200)
  .describe('Path of a setting of the config, as in optimizer.learningRate');

const SettingValue = z.unknown().describe('A value as it would stand in the config');

const when = z
  .record(SettingPath, z.array(SettingValue).min(1).max(64))
  .optional()
  .describe(
    'Tried only where these settings, choices of the same space, have one of these values, as in {"optimizer.type": ["adam"]}',
  );
const levels = z
  .int()
  .min(1)
  .max(1000)
  .default(5)
  .describe('Values that a grid takes of it, evenly spread from low to high');

const isInOrder = ({ low, high }: { readonly low: number; readonly high: number }) => low <= high;
const outOfOrder = { path: ['high'], message: 'must not be less than low' };

/** What values a setting may take. */
export const Dimension = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('choice'),
      values: z.array(SettingValue).min(1).max(1000).describe('The values to choose from, of any kind'),
      when,
    }),
    z
      .strictObject({
        type: z.literal('uniform'),
        low: z.number().describe('Lowest value'),
        high: z.number().describe('Highest value'),
        levels,
        when,
      })
      .refine(isInOrder, outOfOrder),
    z
      .strictObject({
        type: z.literal('log-uniform'),
        low: z.number().gt(0).describe('Lowest value'),
        high: z.number().gt(0).describe('Highest value'),
        levels,
        when,
      })
      .refine(isInOrder, outOfOrder),
    z
      .strictObject({
        type: z.literal('integer'),
        low: z.int().describe('Lowest value'),
        high: z.int().describe('Highest value; the last one that steps from low reach'),
        step: z.int().min(1).default(1).describe('Distance of the values'),
        scale: z
          .enum(['linear', 'log'])
          .default('linear')
          .describe('log: as many trials between 8 and 16 as between 64 and 128'),
        levels: z
          .int()
          .min(1)
          .max(1000)
          .nullable()
          .default(null)
          .describe('Values that a grid takes of it, evenly spread; null = all'),
        when,
      })
      .refine(isInOrder, outOfOrder)
      .refine(({ low, step, scale }) => scale === 'linear' || low > step / 2, {
        path: ['low'],
        message: 'must be more than half a step where the scale is log',
      }),
  ])
  .describe('Values that a setting may take');
export type Dimension = z.infer<typeof Dimension>;

export const SweepSpace = z
  .record(SettingPath, Dimension)
  .refine((space) => Object.keys(space).length > 0, 'needs at least one setting')
  .refine((space) => Object.keys(space).length <= 32, 'has more than 32 settings')
  .describe('Settings to try, by their path in the config');
export type SweepSpace = z.infer<typeof SweepSpace>;

export const SweepStrategy = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('grid') }).describe('Every combination, one after another'),
    z
      .strictObject({ type: z.literal('random') })
      .describe('Evenly scattered: a scrambled Sobol sequence (Sobol 1967, Matoušek 1998)'),
    z
      .strictObject({
        type: z.literal('tpe'),
        startupTrials: z
          .int()
          .min(1)
          .max(1000)
          .default(10)
          .describe('Trials that are scattered evenly before the results of the others lead'),
      })
      .describe(
        'Where trials did well: a multivariate tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127)',
      ),
  ])
  .describe('What to try next');
export type SweepStrategy = z.infer<typeof SweepStrategy>;

export const SweepStopping = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('none') }).describe('Every trial trains to its end'),
    z
      .strictObject({
        type: z.literal('asha'),
        minimumEpochs: z.int().min(1).max(100_000).default(1).describe('Epochs of the first rung'),
        reductionFactor: z
          .number()
          .min(2)
          .max(100)
          .default(3)
          .describe('η: one of η trials goes on to the next rung, of η times the epochs'),
      })
      .describe(
        'Asynchronous successive halving: a trial pauses at each rung and goes on when it is among the best there (Li et al. 2018, arXiv 1810.05934)',
      ),
    z
      .strictObject({
        type: z.literal('median'),
        minimumEpochs: z
          .int()
          .min(1)
          .max(100_000)
          .default(1)
          .describe('Epochs before a trial may be stopped'),
        minimumTrials: z
          .int()
          .min(1)
          .max(1000)
          .default(5)
          .describe('Trials that must have come as far before one is stopped'),
      })
      .describe(
        'A trial stops when its best value is worse than the median of the others’ means up to the same epoch (Golovin et al. 2017)',
      ),
  ])
  .describe('When a trial is not worth going on with');
export type SweepStopping = z.infer<typeof SweepStopping>;

export const SweepLimits = z
  .strictObject({
    experiments: z.int().min(1).max(10_000).default(30).describe('Experiments in all, seeds counted'),
    parallel: z.int().min(1).max(256).default(1).describe('Trials at a time; what is proposed depends on it'),
    maxDuration: z
      .number()
      .gt(0)
      .max(31_536_000)
      .nullable()
      .default(null)
      .describe('Longest time that the sweep may run, in seconds; pauses do not count; null = no limit'),
  })
  .describe('Limits');
export type SweepLimits = z.infer<typeof SweepLimits>;

/** What a sweep of POST /sweeps may look like. */
export const SWEEP_EXAMPLE = {
  name: 'learning rates',
  preset: 'rnnlm',
  corpus: 'handbook',
  base: { training: { epochs: 9 } },
  space: {
    'optimizer.learningRate': { type: 'log-uniform', low: 1, high: 60 },
    'model.dropout.output': { type: 'uniform', low: 0, high: 0.6 },
  },
  strategy: { type: 'tpe' },
  stopping: { type: 'asha' },
  limits: { experiments: 30, parallel: 2 },
};

/** The body of POST /sweeps with its defaults filled in. */
export const SweepInput = z
  .strictObject({
    name: ExperimentName.optional(),
    tags: ExperimentTags.default([]),
    notes: ExperimentNotes.default(''),
    preset: PresetName.nullable().default(null),
    corpus: CorpusName.default('handbook'),
    base: z
      .record(z.string(), z.unknown())
      .default({})
      .describe(
        'What all trials have in common, as in POST /experiments: model, optimizer, training, priority …',
      ),
    space: SweepSpace,
    strategy: SweepStrategy.prefault({ type: 'tpe' }),
    stopping: SweepStopping.prefault({ type: 'none' }),
    objective: z
      .enum(['validLoss', 'bitsPerByte'])
      .default('validLoss')
      .describe(
        'What is to be low at its best epoch: nats per token, or bits per byte, which other tokenizers may be compared by',
      ),
    seedsPerPoint: z
      .int()
      .min(1)
      .max(100)
      .default(1)
      .describe('Experiments of each point, with training.seed counted up; their mean decides'),
    seed: z.int().min(0).max(0xffff_ffff).default(1).describe('The same seed proposes the same trials'),
    limits: SweepLimits.prefault({}),
  })
  .meta({ id: 'NewSweep', examples: [SWEEP_EXAMPLE] });
export type SweepInput = z.infer<typeof SweepInput>;

/** A value of a setting. */
export type SettingValue = z.infer<typeof SettingValue>;
/** What a trial sets: the value of each setting of the space that applies to it, by path. */
export type SweepPoint = Readonly<Record<string, SettingValue>>;
