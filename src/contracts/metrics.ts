import { z } from 'zod';

/** One measured value. */
export const MetricPoint = z.object({
  step: z.int().describe('Updates so far'),
  epoch: z.number().describe('Epochs so far, with the fraction of the present one'),
  time: z.string().describe('ISO 8601, UTC'),
  value: z.number().nullable().describe('null: not finite'),
});
export type MetricPoint = z.infer<typeof MetricPoint>;

/** Points by key. Keys that begin with `step` were measured within epochs, the others at their ends. */
export const MetricSeries = z.object({ series: z.record(z.string(), z.array(MetricPoint)) });
export type MetricSeries = z.infer<typeof MetricSeries>;

/** Values of an `epoch` event that are kept as points under their own name. */
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

/** Values of a `step` event that are kept as points, and the key of each. */
export const STEP_METRICS = {
  loss: 'stepLoss',
  trainPerplexity: 'stepPerplexity',
  learningRate: 'stepLearningRate',
  tokensPerSecond: 'stepTokensPerSecond',
  gradNorm: 'stepGradNorm',
} as const;

/** A checkpoint as it is listed. */
export const Checkpoint = z.object({
  step: z.int(),
  epoch: z.int(),
  file: z.string().describe('Relative to the experiment’s folder'),
  bytes: z.int(),
  digest: z.string().describe('SHA-256 of the weights, hexadecimal'),
  isBest: z.boolean(),
  time: z.string(),
  available: z.boolean().describe('The file is still there; older ones make room for newer ones'),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

export const CheckpointList = z.object({ items: z.array(Checkpoint) });
