import type { EPOCH_METRICS, STEP_METRICS } from '../../src/contracts/metrics.js';

/** An event as the server sends it. */
export interface LiveEvent {
  readonly seq: number;
  readonly type: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

type EpochMetrics = { readonly [Key in (typeof EPOCH_METRICS)[number]]: Key };

/** Fields of events that are points of a series, and the key of each, as the server stores them. */
export const EVENT_METRICS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  step: {
    loss: 'stepLoss',
    trainPerplexity: 'stepPerplexity',
    learningRate: 'stepLearningRate',
    tokensPerSecond: 'stepTokensPerSecond',
    gradNorm: 'stepGradNorm',
  } satisfies typeof STEP_METRICS,
  epoch: {
    trainLoss: 'trainLoss',
    trainPerplexity: 'trainPerplexity',
    validLoss: 'validLoss',
    validPerplexity: 'validPerplexity',
    validBitsPerByte: 'validBitsPerByte',
    learningRate: 'learningRate',
    tokensPerSecond: 'tokensPerSecond',
    gradNorm: 'gradNorm',
    seconds: 'seconds',
  } satisfies EpochMetrics,
};
