/** The body of POST /sweeps: search space, search strategy, and when to stop a trial early. */
import { z } from 'zod';
import { CorpusName } from './corpus.js';
import { ExperimentName, ExperimentNotes, ExperimentTags } from './experiment-config.js';
import { PresetName } from './presets.js';

export const SettingPath = z
  .string()
  .min(1)
  .max(200)
  .describe('Path of a setting of the config, as in optimizer.learningRate');

const SettingValue = z.unknown().describe('A value of the setting, as in the config');

const when = z
  .record(SettingPath, z.array(SettingValue).min(1).max(64))
  .optional()
  .describe(
    'Applies only if these settings of type choice in the same space have one of these values, as in {"optimizer.type": ["adam"]}',
  );
const levels = z
  .int()
  .min(1)
  .max(1000)
  .default(5)
  .describe('Number of values for a grid, evenly spaced from low to high');

const isInOrder = ({ low, high }: { readonly low: number; readonly high: number }) => low <= high;
const outOfOrder = { path: ['high'], message: 'must not be less than low' };

/** The values that a setting may take. */
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
        high: z.int().describe('Highest value; rounded down to a whole number of steps from low'),
        step: z.int().min(1).default(1).describe('Distance between values'),
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
          .describe('Number of values for a grid, evenly spaced; null = all'),
        when,
      })
      .refine(isInOrder, outOfOrder)
      .refine(({ low, step, scale }) => scale === 'linear' || low > step / 2, {
        path: ['low'],
        message: 'must be more than half a step if the scale is log',
      }),
  ])
  .describe('Values that a setting may take');
export type Dimension = z.infer<typeof Dimension>;

export const SweepSpace = z
  .record(SettingPath, Dimension)
  .refine((space) => Object.keys(space).length > 0, 'requires at least one setting')
  .refine((space) => Object.keys(space).length <= 32, 'has more than 32 settings')
  .describe('Search space: the settings to try, by their path in the config');
export type SweepSpace = z.infer<typeof SweepSpace>;

export const SweepStrategy = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('grid') }).describe('Grid search: every combination in turn'),
    z
      .strictObject({ type: z.literal('random') })
      .describe('Quasi-random search: a scrambled Sobol sequence (Sobol 1967, Matoušek 1998)'),
    z
      .strictObject({
        type: z.literal('tpe'),
        startupTrials: z
          .int()
          .min(1)
          .max(1000)
          .default(10)
          .describe('Quasi-random trials before the estimator takes over'),
      })
      .describe(
        'Bayesian optimization: a multivariate tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127)',
      ),
  ])
  .describe('Search strategy');
export type SweepStrategy = z.infer<typeof SweepStrategy>;

export const SweepStopping = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('none') }).describe('No early stopping: every trial trains to its end'),
    z
      .strictObject({
        type: z.literal('asha'),
        minimumEpochs: z.int().min(1).max(100_000).default(1).describe('Epochs of the first rung'),
        reductionFactor: z
          .number()
          .min(2)
          .max(100)
          .default(3)
          .describe('η: one in η trials is promoted to the next rung, which has η times the epochs'),
      })
      .describe(
        'Asynchronous successive halving: a trial pauses at each rung and is promoted if it is among the best there (Li et al. 2018, arXiv 1810.05934)',
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
          .describe('Number of trials that must have reached an epoch before a trial is stopped there'),
      })
      .describe(
        'Median rule: a trial stops if its best value is worse than the median of the running averages of the other trials up to the same epoch (Golovin et al. 2017)',
      ),
  ])
  .describe('Early stopping of trials');
export type SweepStopping = z.infer<typeof SweepStopping>;

export const SweepLimits = z
  .strictObject({
    experiments: z
      .int()
      .min(1)
      .max(10_000)
      .default(30)
      .describe('Maximum number of experiments, counting each seed'),
    parallel: z.int().min(1).max(256).default(1).describe('Trials at a time; the proposals depend on it'),
    maxDuration: z
      .number()
      .gt(0)
      .max(31_536_000)
      .nullable()
      .default(null)
      .describe('Maximum running time in seconds, without pauses; null = no limit'),
  })
  .describe('Limits');
export type SweepLimits = z.infer<typeof SweepLimits>;

/** The example of POST /sweeps. */
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
        'The fields that all trials share, as in POST /experiments: model, optimizer, training, priority …',
      ),
    space: SweepSpace,
    strategy: SweepStrategy.prefault({ type: 'tpe' }),
    stopping: SweepStopping.prefault({ type: 'none' }),
    objective: z
      .enum(['validLoss', 'bitsPerByte'])
      .default('validLoss')
      .describe(
        'The metric to minimize, at the best epoch: nats per token, or bits per byte, which is comparable between tokenizers',
      ),
    seedsPerPoint: z
      .int()
      .min(1)
      .max(100)
      .default(1)
      .describe(
        'Experiments per point, with consecutive training.seed; their mean is the value of the trial',
      ),
    seed: z.int().min(0).max(0xffff_ffff).default(1).describe('The same seed proposes the same trials'),
    limits: SweepLimits.prefault({}),
  })
  .meta({ id: 'NewSweep', examples: [SWEEP_EXAMPLE] });
export type SweepInput = z.infer<typeof SweepInput>;

/** A value of a setting. */
export type SettingValue = z.infer<typeof SettingValue>;
/** A point of the space: the value of each setting that applies, by path. */
export type SweepPoint = Readonly<Record<string, SettingValue>>;
