import { freemem } from 'node:os';
import { BatchIterator } from '../batches/batch-iterator.js';
import type { TrainingEstimate } from '../contracts/estimate.js';
import type { ExperimentConfig } from '../contracts/experiment-config.js';
import { evaluateStepwise } from '../evaluation/evaluate.js';
import type { Stepwise } from '../evaluation/stepwise.js';
import type { Kernels } from '../kernels/kernels.js';
import { createModel } from '../models/create-model.js';
import { countParameters } from '../models/model-parameters.js';
import type { State } from '../models/state.js';
import { createOptimizer } from './create-optimizer.js';
import type { Optimizer } from './optimizer.js';
import { trainStep } from './train-step.js';

export interface EstimateOptions {
  readonly kernels: Kernels;
  readonly config: ExperimentConfig;
  readonly vocabularySize: number;
  readonly splits: { readonly train: Int32Array; readonly valid: Int32Array };
}

/** Maximum time and number of the measured steps; the first one is not counted. */
const TRY_MS = 1500;
const MAX_STEPS = 20;
/** Tokens of the valid split that are read to measure the speed of evaluation. */
const EVALUATED_TOKENS = 4000;
/** Fraction of the free memory that a trial run may use. */
const MEMORY_SHARE = 0.5;
/** Memory of a training host without a model: libtensorflow, V8, a corpus. */
const HOST_BYTES = 400 * 1024 * 1024;
const FLOAT_BYTES = 4;

/**
 * Trains a model of a config for a few steps and discards it. Yields after each step, so that other tasks can run.
 * @throws corpus-too-short
 */
export function* estimateTraining(options: EstimateOptions): Stepwise<TrainingEstimate, null> {
  const { config, vocabularySize, splits, kernels } = options;
  const { batchSize, bpttLength, epochs } = config.training;
  const stepsPerEpoch = new BatchIterator(splits.train, { batchSize }).batchesPerEpoch(bpttLength);
  const parameterCount = countParameters(config.model, vocabularySize);
  const optimizer = createOptimizer(config.optimizer, kernels);
  const modelBytes = bytesOf(config, parameterCount, optimizer);
  const known = {
    parameterCount,
    vocabularySize,
    trainTokens: splits.train.length,
    stepsPerEpoch,
    memoryBytes: HOST_BYTES + modelBytes,
  };
  if (modelBytes > freemem() * MEMORY_SHARE) return { ...known, measured: null };
  const { steps, tokens, trainMs, evaluateMs } = yield* measureSpeed(options, optimizer);
  const secondsPerEpoch =
    ((splits.train.length / tokens) * trainMs + splits.valid.length * evaluateMs) / 1000;
  const tokensPerSecond = (1000 * tokens) / trainMs;
  return {
    ...known,
    measured: {
      steps,
      tokensPerSecond,
      secondsPerEpoch,
      seconds: Math.min(epochs * secondsPerEpoch, config.training.timeBudget ?? Number.POSITIVE_INFINITY),
    },
  };
}

/**
 * @param optimizer is disposed
 * @returns the time of the steps without the first one, and the evaluation time per token
 */
function* measureSpeed({ config, vocabularySize, splits, kernels }: EstimateOptions, optimizer: Optimizer) {
  const { training, precision } = config;
  const model = createModel(config.model, vocabularySize, { kernels, seed: training.seed, precision });
  const states: (State | null)[] = [];
  try {
    const text = new BatchIterator(splits.train, { batchSize: training.batchSize });
    let [steps, tokens, trainMs] = [0, 0, 0];
    for (let step = 0; step <= MAX_STEPS && (steps === 0 || trainMs < TRY_MS); step++) {
      const batch = text.next(training.bpttLength) ?? text.next(training.bpttLength)!;
      const start = performance.now();
      trainStep({ model, optimizer, training, states }, batch, config.optimizer.learningRate);
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
    for (const state of states) state?.dispose();
    optimizer.dispose();
    model.dispose();
  }
}

/** Memory of weights, gradients, optimizer state, and the activations of a batch with their gradients. */
function bytesOf(
  { model, training }: ExperimentConfig,
  parameterCount: number,
  { slotsPerParameter }: Optimizer,
): number {
  const perParameter = 2 + slotsPerParameter;
  const perToken = 2 * model.embeddingSize + model.hiddenSizes.reduce((sum, size) => sum + 12 * size, 0);
  const tokens = (training.batchSize * training.bpttLength) / training.gradientAccumulation;
  return Math.ceil(FLOAT_BYTES * (parameterCount * perParameter + tokens * perToken));
}
