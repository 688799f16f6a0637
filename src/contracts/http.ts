/** What HTTP takes and gives beyond the contracts of the other parts. */
import { z } from 'zod';
import { CorpusInfo, CorpusName } from './corpus.js';
import { TrainingEstimate } from './estimate.js';
import { EVENT_TYPES } from './events.js';
import { EXAMPLE_EXPERIMENT_ID } from './example-ids.js';
import { Experiment, ExperimentState } from './experiment.js';
import {
  ExperimentConfig,
  ExperimentInput,
  ExperimentName,
  ExperimentNotes,
  ExperimentTags,
} from './experiment-config.js';
import { BeamSearchRequest, GenerationRequest } from './generation.js';
import { BackendReport } from './jobs.js';
import { PresetName } from './presets.js';
import { RankRequest, ScoreStreamRequest, scoreRequestOf } from './score.js';
import { ValidationIssue } from './validation.js';

/** Marks a list that a query may also give as one value with commas. */
export const COMMA_SEPARATED = 'x-comma-separated';

const commaList = <Element extends z.ZodType>(element: Element) =>
  z
    .array(element)
    .max(64)
    .meta({ [COMMA_SEPARATED]: true });

/** Every error answer (RFC 9457). */
export const Problem = z.object({
  type: z.string().describe('urn:gatelm:error: and the code'),
  title: z.string().describe('The kind of error'),
  status: z.int(),
  detail: z.string().describe('What happened, for people'),
  code: z.string().describe('What happened, for programs; codes do not change'),
  instance: z.string().describe('The request that failed'),
  errors: z.array(ValidationIssue).optional().describe('Every wrong field, when the request is not valid'),
  details: z.record(z.string(), z.unknown()).optional().describe('Facts that complete the detail'),
});
export type Problem = z.infer<typeof Problem>;

const experimentId = z
  .string()
  .min(1)
  .max(64)
  .describe('Id of an experiment')
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

/** What a dry run shows: the experiment as it would be. */
export const ExperimentPlan = z.object({
  dryRun: z.literal(true),
  name: z.string(),
  tags: z.array(z.string()),
  notes: z.string(),
  priority: z.number(),
  config: ExperimentConfig,
  estimate: TrainingEstimate.nullable().describe('What it would take; null with a reason beside it'),
  reason: z.string().optional().describe('Why nothing could be estimated'),
});
export type ExperimentPlan = z.infer<typeof ExperimentPlan>;

export const EditExperimentBody = z.strictObject({
  name: ExperimentName.optional(),
  tags: ExperimentTags.optional(),
  notes: ExperimentNotes.optional(),
  priority: z.int().min(-100).max(100).optional().describe('Higher is started earlier'),
});

export const ContinueBody = z.strictObject({
  epochs: z.int().min(1).max(100_000).describe('Epochs to train beyond those that are done'),
});

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
  .describe('A part of a config, name, tags, notes and priority');

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

export const ExperimentPageBody = z.object({
  items: z.array(Experiment),
  nextCursor: z.string().nullable().describe('Of the next page; null on the last one'),
});

const since = z.int().min(0).default(0).describe('Number of the last event that is known already');
const ticket = z
  .string()
  .max(100)
  .optional()
  .describe('Of POST /tickets, where no header with a key can be sent');
export const ProgressQuery = z.strictObject({ since, ticket });

export const ListEventsQuery = z.strictObject({
  since,
  ticket,
  limit: z.int().min(1).max(10_000).default(1000).describe('Most events of a page; JSON only'),
  types: commaList(z.enum(EVENT_TYPES)).optional().describe('Only events of these types; JSON only'),
});

/** An event as it is sent. */
export const EventBody = z.object({
  experimentId: z.string(),
  seq: z.int().min(1).describe('1, 2, 3 … within the experiment'),
  time: z.string().describe('ISO 8601, UTC'),
  type: z.enum(EVENT_TYPES),
  data: z.record(z.string(), z.unknown()),
});

export const EventPage = z.object({
  items: z.array(EventBody),
  nextSince: z.int().describe('What to ask for next: the number of the last event of this page'),
  hasMore: z.boolean(),
});

/** The first message of a progress socket. */
export const ProgressSnapshot = z.object({
  type: z.literal('snapshot'),
  experiment: Experiment,
  seq: z.int().describe('Number of the latest event'),
});

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
});
export const ScoreInput = scoreRequestOf(ofExperiment);
export const ScoreQuery = z.strictObject({ inspect: z.boolean().optional().describe('As in the body') });
export const ScoreStreamQuery = z.strictObject({
  ...ofExperiment,
  tokens: ScoreStreamRequest.shape.tokens,
  cache: z.boolean().default(false).describe('Mix in what was read recently: a continuous cache'),
  dynamic: z.boolean().default(false).describe('Let the model learn from what it has read'),
});
export const RankInput = RankRequest.extend(ofExperiment);

export const CorpusParams = z.strictObject({ name: CorpusName.meta({ examples: ['ptb'] }) });
export const CorpusList = z.object({ items: z.array(CorpusInfo) });
export const PreviewQuery = z.strictObject({
  split: z.enum(['train', 'valid', 'test']).default('train'),
  characters: z.int().min(1).max(100_000).default(1000).describe('Most characters'),
});

export const PresetList = z.object({
  items: z.array(
    z.object({
      name: PresetName,
      description: z.string(),
      source: z.string(),
      ptbTestPerplexity: z.number().nullable().describe('Test perplexity on PTB that the source reports'),
      ptbParameterCount: z
        .int()
        .nullable()
        .describe('Learned numbers on PTB’s 10,000 words; null where the preset reads no words'),
      config: ExperimentConfig.describe('The whole config that the preset makes'),
    }),
  ),
});

const hostHealth = z.object({
  backend: BackendReport.nullable().describe('What its host found; null until it has started'),
  processIds: z.array(z.int()),
});
export const Health = z.object({
  status: z.literal('ok'),
  version: z.string(),
  uptimeSeconds: z.number(),
  training: hostHealth.extend({
    slots: z.int(),
    active: z.array(z.string()).describe('Experiments that hold a slot'),
  }),
  inference: hostHealth,
});
export type Health = z.infer<typeof Health>;
const host = z
  .enum(['ready', 'starting', 'idle'])
  .describe('idle: not started yet, or ended; the next task starts it');
export const Readiness = z.object({
  status: z.literal('ready'),
  database: z.literal('ready'),
  training: host,
  inference: host,
});
export type Readiness = z.infer<typeof Readiness>;
