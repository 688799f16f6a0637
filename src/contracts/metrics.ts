import { z } from 'zod';
import { exampleOf } from './example-of.js';
import { EXAMPLE_DIGEST, EXAMPLE_TIME } from './example-values.js';
import { nearestName } from './nearest-name.js';

/** One measured value. */
export const MetricPoint = z
  .object({
    step: z.int().describe('Updates so far'),
    epoch: z.number().describe('Epochs so far, including the fraction of the current one'),
    time: z.string().describe('ISO 8601, UTC'),
    value: z.number().nullable().describe('null: not finite'),
  })
  .meta({ id: 'MetricPoint', examples: [{ step: 1328, epoch: 1, time: EXAMPLE_TIME, value: 195.6 }] });
export type MetricPoint = z.infer<typeof MetricPoint>;

/** Points by key. Keys that begin with `step` were measured within epochs, the others at the end of each epoch. */
export const MetricSeries = z
  .object({ series: z.record(z.string(), z.array(MetricPoint)) })
  .meta({ id: 'MetricSeries', examples: [{ series: { validPerplexity: [exampleOf(MetricPoint)] } }] });
export type MetricSeries = z.infer<typeof MetricSeries>;

/** Values of an `epoch` event that are stored as points under the same name. */
export const EPOCH_METRICS = [
  'trainLoss',
  'trainPerplexity',
  'validLoss',
  'validPerplexity',
  'validBitsPerByte',
  'learningRate',
  'tokensPerSecond',
  'gradNorm',
  'seconds',
] as const;

/** Values of a `step` event that are stored as points, with the key of each. */
export const STEP_METRICS = {
  loss: 'stepLoss',
  trainPerplexity: 'stepPerplexity',
  learningRate: 'stepLearningRate',
  tokensPerSecond: 'stepTokensPerSecond',
  gradNorm: 'stepGradNorm',
} as const;

/** Every series that an experiment may have. */
export const SERIES_KEYS: readonly string[] = [...EPOCH_METRICS, ...Object.values(STEP_METRICS)];

/** Metrics whose latest value is kept for each experiment. */
export const LATEST_KEYS: readonly string[] = [
  ...EPOCH_METRICS,
  'step',
  'epoch',
  'stepLoss',
  'remainingSeconds',
  'testPerplexity',
  'testLoss',
  'testBitsPerByte',
];

/** Why a key is refused. */
export function unknownMetric(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  return `unknown metric "${key.slice(0, 64)}"${nearest ? `; did you mean "${nearest}"?` : ''}`;
}

/** A checkpoint as it is listed. */
export const Checkpoint = z
  .object({
    step: z.int(),
    epoch: z.int(),
    file: z.string().describe('Relative to the experiment’s folder'),
    bytes: z.int(),
    digest: z.string().describe('SHA-256 of the weights, hexadecimal'),
    isBest: z.boolean(),
    time: z.string(),
    available: z
      .boolean()
      .describe('Whether the file still exists; old checkpoints are deleted when new ones are written'),
  })
  .meta({
    id: 'Checkpoint',
    examples: [
      {
        step: 1328,
        epoch: 1,
        file: 'checkpoints/step-000001328-c53a2afb.safetensors',
        bytes: 8_362_104,
        digest: EXAMPLE_DIGEST,
        isBest: true,
        time: EXAMPLE_TIME,
        available: true,
      },
    ],
  });
export type Checkpoint = z.infer<typeof Checkpoint>;

export const CheckpointList = z
  .object({ items: z.array(Checkpoint) })
  .meta({ id: 'CheckpointList', examples: [{ items: [exampleOf(Checkpoint)] }] });
