import { z } from 'zod';
import { exampleOf } from './example-of.js';
import { EXAMPLE_DIGEST, EXAMPLE_EXPERIMENT_ID } from './example-values.js';
import { ExperimentConfig } from './experiment-config.js';
import { ExperimentRun } from './provenance.js';
import { SerializedError } from './serialized-error.js';

export const ExperimentState = z.enum([
  'queued',
  'preparing',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'cancelled',
  'succeeded',
  'failed',
  'interrupted',
]);
export type ExperimentState = z.infer<typeof ExperimentState>;

/** The transition table: from each state to the states that may follow it. */
export const TRANSITIONS: Readonly<Record<ExperimentState, readonly ExperimentState[]>> = {
  queued: ['preparing', 'paused', 'cancelled', 'failed'],
  preparing: ['running', 'pausing', 'cancelling', 'failed', 'interrupted', 'cancelled', 'paused'],
  running: ['pausing', 'cancelling', 'succeeded', 'failed', 'interrupted'],
  pausing: ['paused', 'cancelling', 'succeeded', 'failed', 'interrupted'],
  paused: ['queued', 'cancelled'],
  cancelling: ['cancelled', 'succeeded', 'failed', 'interrupted'],
  cancelled: ['queued'],
  succeeded: ['queued'],
  failed: ['queued'],
  interrupted: ['queued', 'cancelled', 'failed'],
};

/** States in which the experiment occupies a slot on a host. */
export const ACTIVE_STATES: readonly ExperimentState[] = ['preparing', 'running', 'pausing', 'cancelling'];

const bitsPerByte = z
  .number()
  .nullable()
  .describe('Comparable between tokenizers: the words behind <unk> are charged for; null = not measured');

/** The latest value of each metric; null before the first epoch. */
export const LatestMetrics = z.object({
  epoch: z.number().nullable(),
  step: z.number().nullable(),
  trainPerplexity: z.number().nullable(),
  validPerplexity: z.number().nullable(),
  validBitsPerByte: bitsPerByte,
  learningRate: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  gradNorm: z.number().nullable(),
  remainingSeconds: z.number().nullable(),
});
export type LatestMetrics = z.infer<typeof LatestMetrics>;

/** An experiment as HTTP shows it. */
export const Experiment = z
  .object({
    id: z.string(),
    name: z.string(),
    tags: z.array(z.string()),
    notes: z.string(),
    priority: z.number(),
    state: ExperimentState,
    config: ExperimentConfig,
    parentId: z.string().nullable(),
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    endedAt: z.string().nullable(),
    attempt: z.number().describe('Number of starts on a host so far'),
    seq: z.number().describe('Number of its latest event'),
    queuePosition: z.number().nullable(),
    parameterCount: z.number().nullable().describe('Null until the vocabulary is known'),
    vocabularySize: z.number().nullable(),
    latest: LatestMetrics,
    best: z.object({
      epoch: z.number().nullable(),
      validPerplexity: z.number().nullable(),
      validBitsPerByte: bitsPerByte,
    }),
    test: z.object({ perplexity: z.number().nullable(), bitsPerByte }),
    digest: z.string().nullable(),
    run: ExperimentRun.nullable().describe('The backend of the last attempt'),
    error: SerializedError.nullable(),
    links: z.record(z.string(), z.string()),
  })
  .meta({
    id: 'Experiment',
    examples: [
      {
        id: EXAMPLE_EXPERIMENT_ID,
        name: 'custom on handbook',
        tags: ['first'],
        notes: '',
        priority: 0,
        state: 'succeeded',
        config: exampleOf(ExperimentConfig),
        parentId: null,
        createdAt: '2026-11-25T16:03:01.486Z',
        startedAt: '2026-11-25T16:03:01.503Z',
        endedAt: '2026-11-25T16:09:43.418Z',
        attempt: 1,
        seq: 214,
        queuePosition: null,
        parameterCount: 2_090_400,
        vocabularySize: 10_000,
        latest: {
          epoch: 4,
          step: 5312,
          trainPerplexity: 106.6,
          validPerplexity: 140.3,
          validBitsPerByte: 1.317,
          learningRate: 20,
          tokensPerSecond: 22_800,
          gradNorm: 0.21,
          remainingSeconds: 0,
        },
        best: { epoch: 4, validPerplexity: 140.3, validBitsPerByte: 1.317 },
        test: { perplexity: 136.5, bitsPerByte: 1.299 },
        digest: EXAMPLE_DIGEST,
        run: { backend: 'native', kernels: 'fused', threads: 2 },
        error: null,
        links: {
          self: `/experiments/${EXAMPLE_EXPERIMENT_ID}`,
          progress: `/experiments/${EXAMPLE_EXPERIMENT_ID}/progress`,
        },
      },
    ],
  });
export type Experiment = z.infer<typeof Experiment>;
