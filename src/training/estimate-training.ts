import { freemem } from 'node:os';
import { BatchIterator } from '../batches/batch-iterator.js';
import type { TrainingEstimate } from '../contracts/estimate.js';
import type { ExperimentConfig } from '../contracts/experiment-config.js';
import type { OptimizerConfig } from '../contracts/training.js';
import { evaluateStepwise } from '../evaluation/evaluate.js';
import type { Stepwise } from '../evaluation/stepwise.js';
import { LstmLanguageModel } from '../models/lstm-language-model.js';
import { countParameters } from '../models/lstm-parameters.js';
import { splitBatch } from './batch-parts.js';
import { createOptimizer } from './create-optimizer.js';
import { clippingScale, gradientNorm } from './gradient-norm.js';

export interface EstimateOptions {
  readonly config: ExperimentConfig;
  readonly vocabularySize: number;
  readonly splits: { readonly train: Int32Array; readonly valid: Int32Array };
}

/** Longest time of the tried steps, and most of them; the first one is not counted. */
const TRY_MS = 1500;
const MAX_STEPS = 20;
/** Tokens of the valid split that are read to see how fast that goes. */
const EVALUATED_TOKENS = 4000;
/** Part of the free memory that a try may take. */
const MEMORY_SHARE = 0.5;
/** What a training host holds without a model: libtensorflow, V8, a corpus. */
const HOST_BYTES = 400 * 1024 * 1024;
const FLOAT_BYTES = 4;

/**
 * Trains a model of a config for a moment, and throws it away. Yields after each step, so that others get their turn.
 * @throws corpus-too-short
 */
export function* estimateTraining({
  config,
  vocabularySize,
  splits,
}: EstimateOptions): Stepwise<TrainingEstimate, null> {
  const { batchSize, bpttLength, epochs } = config.training;
  const stepsPerEpoch = new BatchIterator(splits.train, { batchSize }).batchesPerEpoch(bpttLength);
  const parameterCount = countParameters(config.model, vocabularySize);
  const modelBytes = bytesOf(config, parameterCount);
  const known = {
    parameterCount,
    vocabularySize,
    trainTokens: splits.train.length,
    stepsPerEpoch,
    memoryBytes: HOST_BYTES + modelBytes,
  };
  if (modelBytes > freemem() * MEMORY_SHARE) return { ...known, measured: null };
  const { steps, tokens, trainMs, evaluateMs } = yield* tryOut({ config, vocabularySize, splits });
  const secondsPerEpoch =
    ((splits.train.length / tokens) * trainMs + splits.valid.length * evaluateMs) / 1000;
  const tokensPerSecond = (1000 * tokens) / trainMs;
  return {
    ...known,
    measured: { steps, tokensPerSecond, secondsPerEpoch, seconds: epochs * secondsPerEpoch },
  };
}

/** @returns what the steps took but for the first one, and a token's share of an evaluation */
function* tryOut({ config, vocabularySize, splits }: EstimateOptions) {
  const { training, precision } = config;
  const model = new LstmLanguageModel(config.model, vocabularySize, { seed: training.seed, precision });
  const optimizer = createOptimizer(config.optimizer);
  try {
    const text = new BatchIterator(splits.train, { batchSize: training.batchSize });
    let [steps, tokens, trainMs] = [0, 0, 0];
    for (let step = 0; step <= MAX_STEPS && (steps === 0 || trainMs < TRY_MS); step++) {
      const batch = text.next(training.bpttLength) ?? text.next(training.bpttLength)!;
      const start = performance.now();
      for (const part of splitBatch(batch, training.gradientAccumulation)) {
        model.putState(null);
        model.accumulateGradients(part, {
          gradientScale: 1 / batch.targets.length,
          activationRegularization: training.activationRegularization,
          temporalActivationRegularization: training.temporalActivationRegularization,
        });
      }
      model.putState(null);
      const gradientScale = clippingScale(gradientNorm(model.parameters), training.maxGradNorm);
      optimizer.step(model.parameters, { learningRate: config.optimizer.learningRate, gradientScale });
      if (step > 0) {
        steps += 1;
        tokens += batch.targets.length;
        trainMs += performance.now() - start;
      }
      yield null;
    }
    const start = performance.now();
    const read = Math.min(EVALUATED_TOKENS, splits.valid.length);
    const reading = { batchSize: training.evaluationBatchSize, bpttLength: training.bpttLength } as const;
    const evaluation = evaluateStepwise(model, splits.valid.subarray(0, read), {
      ...reading,
      counting: 'exact',
    });
    while (!evaluation.next().done) yield null;
    return { steps, tokens, trainMs, evaluateMs: (performance.now() - start) / read };
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}

/** Weights, gradients, what the optimizer keeps, and the activations of a batch with their gradients. */
function bytesOf({ model, optimizer, training }: ExperimentConfig, parameterCount: number): number {
  const perParameter = 2 + slotsOf(optimizer);
  const perToken = 2 * model.embeddingSize + model.hiddenSizes.reduce((sum, size) => sum + 12 * size, 0);
  const tokens = (training.batchSize * training.bpttLength) / training.gradientAccumulation;
  return Math.ceil(FLOAT_BYTES * (parameterCount * perParameter + tokens * perToken));
}

function slotsOf({ type }: OptimizerConfig): number {
  switch (type) {
    case 'sgd':
      return 0;
    case 'nt-asgd':
      return 1;
    case 'adam':
    case 'adamw':
      return 2;
    default:
      return type satisfies never;
  }
}
