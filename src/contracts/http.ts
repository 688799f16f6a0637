/** Parameters, queries and bodies of the HTTP API that are not part of another contract. */
import { z } from 'zod';
import { commaList } from './comma-list.js';
import { CorpusInfo, CorpusName, TokenizerConfig } from './corpus.js';
import { TrainingEstimate } from './estimate.js';
import { exampleOf } from './example-of.js';
import { EXAMPLE_EXPERIMENT_ID } from './example-values.js';
import { Experiment, ExperimentState } from './experiment.js';
import {
  ExperimentConfig,
  ExperimentInput,
  ExperimentName,
  ExperimentNotes,
  ExperimentTags,
} from './experiment-config.js';
import { BeamSearchRequest, GenerationRequest } from './generation.js';
import { LATEST_KEYS, unknownMetric } from './metrics.js';
import { PresetName } from './presets.js';
import { RankRequest, ScoreStreamRequest, scoreRequestOf } from './score.js';
import { LearningRate, ScheduleConfig } from './training.js';

export const ExperimentIdOrName = z
  .string()
  .min(1)
  .max(200)
  .describe('Id or name of an experiment; a name means the latest experiment of that name')
  .meta({ examples: [EXAMPLE_EXPERIMENT_ID] });
export const ExperimentParams = z.strictObject({ id: ExperimentIdOrName });

export const CreateExperimentQuery = z.strictObject({
  dryRun: z
    .boolean()
    .default(false)
    .describe('Validate the body and return the resolved config without storing anything'),
});
export const IdempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe(
      'Repeating a request with the same key and body returns the experiment that the first request created',
    ),
});

const { name, tags, notes, priority, config } = exampleOf(Experiment);
const described = { name, tags, notes, priority, config };

/** The result of a dry run: the experiment as it would be created. */
const warnings = z
  .array(z.string())
  .describe(
    'Settings that are valid but do not suit the text, such as the vocabulary size, unknown words or the number of steps, with better ones',
  );

/** The response of POST /experiments. */
export const CreatedExperiment = Experiment.extend({ warnings }).meta({
  id: 'CreatedExperiment',
  examples: [{ ...exampleOf(Experiment), warnings: [] }],
});
export type CreatedExperiment = z.infer<typeof CreatedExperiment>;

export const ExperimentPlan = z
  .object({
    dryRun: z.literal(true),
    name: z.string(),
    tags: z.array(z.string()),
    notes: z.string(),
    priority: z.number(),
    config: ExperimentConfig,
    warnings,
    estimate: TrainingEstimate.nullable().describe(
      'Estimated cost; null if it could not be estimated, see reason',
    ),
    reason: z.string().optional().describe('Why there is no estimate'),
  })
  .meta({
    id: 'ExperimentPlan',
    examples: [{ dryRun: true, ...described, warnings: [], estimate: exampleOf(TrainingEstimate) }],
  });
export type ExperimentPlan = z.infer<typeof ExperimentPlan>;

export const EditExperimentBody = z
  .strictObject({
    name: ExperimentName.optional(),
    tags: ExperimentTags.optional(),
    notes: ExperimentNotes.optional(),
    priority: z.int().min(-100).max(100).optional().describe('Higher priorities start first'),
  })
  .meta({ examples: [{ name: 'A better name', tags: ['paper'] }] });

export const ContinueBody = z
  .strictObject({
    epochs: z.int().min(1).max(100_000).describe('Number of further epochs'),
    learningRate: LearningRate.optional().describe('Highest learning rate from now on; default: unchanged'),
    schedule: ScheduleConfig.optional().describe('Schedule from now on; default: unchanged'),
  })
  .meta({ examples: [{ epochs: 5 }, { epochs: 5, learningRate: 0.0005, schedule: { type: 'constant' } }] });
export type ContinueBody = z.infer<typeof ContinueBody>;

/** The changes of a fork; fields that are omitted keep the values of the parent. */
export const ForkBody = z
  .object(ExperimentInput.omit({ preset: true }).shape)
  .partial()
  .extend({
    fromEpoch: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Start from the checkpoint of this epoch, which training.keepEvery kept; default: the latest checkpoint',
      ),
  })
  .describe('Fields of a config, name, tags, notes and priority')
  .meta({ examples: [{ optimizer: { learningRate: 1 }, training: { epochs: 2 } }] });

/** What experiments can be sorted by. */
const SORT_KEYS = ['created', ...LATEST_KEYS];

export const ListExperimentsQuery = z.strictObject({
  state: commaList(ExperimentState).optional().describe('Only experiments in one of these states'),
  tag: z.string().normalize('NFC').min(1).max(64).optional().describe('Only experiments with this tag'),
  corpus: z.string().min(1).max(100).optional().describe('Only experiments on this corpus'),
  preset: PresetName.optional().describe('Only experiments with this preset'),
  name: z
    .string()
    .normalize('NFC')
    .min(1)
    .max(200)
    .optional()
    .describe('Only experiments whose name contains this, ignoring case'),
  sort: z
    .string()
    .regex(/^-?[A-Za-z]{1,64}$/, 'must be "created" or the key of a metric, with - before it for descending')
    .superRefine((sort, { addIssue }) => {
      const [sign, key] = sort.startsWith('-') ? ['-', sort.slice(1)] : ['', sort];
      if (!SORT_KEYS.includes(key))
        addIssue({
          code: 'custom',
          message: unknownMetric(
            sort,
            SORT_KEYS.map((each) => sign + each),
          ),
        });
    })
    .default('-created')
    .describe(
      'created, or the key of a metric to sort by its latest value (validPerplexity, …); prefix - for descending order; experiments without a value come last',
    ),
  limit: z.int().min(1).max(200).default(50).describe('Maximum number of experiments per page'),
  cursor: z.string().min(1).max(500).optional().describe('nextCursor of the previous page'),
  format: z.enum(['json', 'csv']).optional().describe('Overrides the Accept header'),
});

export const ExperimentPageBody = z
  .object({
    items: z.array(Experiment),
    nextCursor: z.string().nullable().describe('Cursor of the next page; null on the last page'),
  })
  .meta({ id: 'ExperimentPage', examples: [{ items: [exampleOf(Experiment)], nextCursor: null }] });

export const MetricsQuery = z.strictObject({
  keys: commaList(z.string().min(1).max(64)).optional().describe('Series to return; default: all'),
  maxPoints: z
    .int()
    .min(2)
    .max(1_000_000)
    .optional()
    .describe('Maximum number of points per series, chosen as `keep` says; default: all points'),
  keep: z
    .enum(['shape', 'extremes'])
    .default('shape')
    .describe(
      'The points that maxPoints keeps. shape: those that span the largest triangles (LTTB); extremes: minimum and maximum of each of equally long parts, so that no peak is lost',
    ),
  fromStep: z.int().min(0).optional().describe('Only points at this step or later'),
  toStep: z.int().min(0).optional().describe('Only points at this step or earlier'),
  format: z
    .enum(['json', 'csv', 'jsonl'])
    .optional()
    .describe('Format of the response; overrides the Accept header'),
});

const ofExperiment = {
  experiment: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe(
      'Id or name of an experiment; default: the best succeeded one on the corpus of the one that succeeded last',
    ),
};
export const GenerateInput = GenerationRequest.extend({
  ...ofExperiment,
  n: z.int().min(1).max(64).default(1).describe('Number of texts, with consecutive seeds'),
  beams: BeamSearchRequest.shape.beams,
  lengthPenalty: BeamSearchRequest.shape.lengthPenalty,
}).meta({ examples: [{ prompt: 'the', maxTokens: 50, temperature: 0.8, topK: 40, seed: 1 }] });
export const ScoreInput = scoreRequestOf(ofExperiment).meta({
  examples: [{ text: 'the cat sat on the mat' }, { texts: ['the cat sat', 'the mat sat'] }],
});
export const ScoreQuery = z.strictObject({
  inspect: z.boolean().optional().describe('As `inspect` in the body'),
});
export const ScoreStreamQuery = z.strictObject({
  ...ofExperiment,
  tokens: ScoreStreamRequest.shape.tokens,
  cache: z
    .boolean()
    .default(false)
    .describe('Mix recently read tokens into the predictions: a continuous cache'),
  dynamic: z.boolean().default(false).describe('Let the model adapt to what it has read: dynamic evaluation'),
});
export const RankInput = RankRequest.extend(ofExperiment).meta({
  examples: [{ prompt: 'the cat sat on the', alternatives: [' mat', ' cat'], by: 'token' }],
});

export const CorpusParams = z.strictObject({ name: CorpusName.meta({ examples: ['ptb'] }) });
export const CorpusList = z
  .object({ items: z.array(CorpusInfo) })
  .meta({ id: 'CorpusList', examples: [{ items: [exampleOf(CorpusInfo)] }] });
export const TokenCountRequest = z
  .strictObject({ tokenizer: TokenizerConfig })
  .meta({ examples: [{ tokenizer: { type: 'byte-pair', vocabularySize: 2000 } }] });
export const PreviewQuery = z.strictObject({
  split: z.enum(['train', 'valid', 'test']).default('train'),
  characters: z.int().min(1).max(100_000).default(1000).describe('Maximum number of characters'),
});
