/** What HTTP takes and gives beyond the contracts of the other parts. */
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
import { PresetName } from './presets.js';
import { RankRequest, ScoreStreamRequest, scoreRequestOf } from './score.js';

const experimentId = z
  .string()
  .min(1)
  .max(200)
  .describe('Id of an experiment, or its name: then the latest one of that name')
  .meta({ examples: [EXAMPLE_EXPERIMENT_ID] });
export const ExperimentParams = z.strictObject({ id: experimentId });

export const CreateExperimentQuery = z.strictObject({
  dryRun: z.boolean().default(false).describe('Check the body and show the config; store nothing'),
});
export const IdempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('The same key with the same body gives the experiment that it made the first time'),
});

const { name, tags, notes, priority, config } = exampleOf(Experiment);
const described = { name, tags, notes, priority, config };

/** What a dry run shows: the experiment as it would be. */
const warnings = z
  .array(z.string())
  .describe(
    'What will do, but not well, seen from the text: a vocabulary, unknown words, steps; and what would do better',
  );

/** The answer to POST /experiments. */
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
    estimate: TrainingEstimate.nullable().describe('What it would take; null with a reason beside it'),
    reason: z.string().optional().describe('Why nothing could be estimated'),
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
    priority: z.int().min(-100).max(100).optional().describe('Higher is started earlier'),
  })
  .meta({ examples: [{ name: 'A better name', tags: ['paper'] }] });

export const ContinueBody = z
  .strictObject({
    epochs: z.int().min(1).max(100_000).describe('Epochs to train beyond those that are done'),
  })
  .meta({ examples: [{ epochs: 5 }] });

/** What a fork changes; everything that is left out stays as its parent has it. */
export const ForkBody = z
  .object(ExperimentInput.omit({ preset: true }).shape)
  .partial()
  .extend({
    fromEpoch: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Begin with the checkpoint of this epoch, which training.keepEvery kept; default: the latest one',
      ),
  })
  .describe('A part of a config, name, tags, notes and priority')
  .meta({ examples: [{ optimizer: { learningRate: 1 }, training: { epochs: 2 } }] });

export const ListExperimentsQuery = z.strictObject({
  state: commaList(ExperimentState).optional().describe('Only those in one of these states'),
  tag: z.string().min(1).max(64).optional().describe('Only those with this tag'),
  corpus: z.string().min(1).max(100).optional().describe('Only those on this corpus'),
  preset: PresetName.optional().describe('Only those of this preset'),
  name: z.string().min(1).max(200).optional().describe('Only those with this in their name, in any case'),
  sort: z
    .string()
    .regex(/^-?[A-Za-z]{1,64}$/, 'must be "created" or the key of a metric, with - before it for descending')
    .default('-created')
    .describe(
      'created, or the key of a metric whose latest value decides (validPerplexity, …); with - before it descending; experiments without a value come last',
    ),
  limit: z.int().min(1).max(200).default(50).describe('Most experiments of a page'),
  cursor: z.string().min(1).max(500).optional().describe('nextCursor of the page before'),
});

export const ExperimentPageBody = z
  .object({
    items: z.array(Experiment),
    nextCursor: z.string().nullable().describe('Of the next page; null on the last one'),
  })
  .meta({ id: 'ExperimentPage', examples: [{ items: [exampleOf(Experiment)], nextCursor: null }] });

export const MetricsQuery = z.strictObject({
  keys: commaList(z.string().min(1).max(64)).optional().describe('Series to read; all when left out'),
  maxPoints: z
    .int()
    .min(2)
    .max(1_000_000)
    .optional()
    .describe('Most points of a series, chosen as `keep` says; uncut when left out'),
  keep: z
    .enum(['shape', 'extremes'])
    .default('shape')
    .describe(
      'What maxPoints keeps: shape = the points that span the largest triangles; extremes = the lowest and the highest of equally long parts, so that no peak is lost',
    ),
  fromStep: z.int().min(0).optional().describe('Only points at this step or later'),
  toStep: z.int().min(0).optional().describe('Only points at this step or earlier'),
  format: z.enum(['json', 'csv', 'jsonl']).optional().describe('Instead of the Accept header'),
});

const ofExperiment = {
  experiment: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe(
      'Id or name of an experiment; left out: the best succeeded one on the corpus of the last to succeed',
    ),
};
export const GenerateInput = GenerationRequest.extend({
  ...ofExperiment,
  n: z.int().min(1).max(64).default(1).describe('Texts to write, with seeds one after another'),
  beams: BeamSearchRequest.shape.beams,
  lengthPenalty: BeamSearchRequest.shape.lengthPenalty,
}).meta({ examples: [{ prompt: 'the', maxTokens: 50, temperature: 0.8, topK: 40, seed: 1 }] });
export const ScoreInput = scoreRequestOf(ofExperiment).meta({
  examples: [{ text: 'the cat sat on the mat' }, { texts: ['the cat sat', 'the mat sat'] }],
});
export const ScoreQuery = z.strictObject({ inspect: z.boolean().optional().describe('As in the body') });
export const ScoreStreamQuery = z.strictObject({
  ...ofExperiment,
  tokens: ScoreStreamRequest.shape.tokens,
  cache: z.boolean().default(false).describe('Mix in what was read recently: a continuous cache'),
  dynamic: z.boolean().default(false).describe('Let the model learn from what it has read'),
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
  characters: z.int().min(1).max(100_000).default(1000).describe('Most characters'),
});
