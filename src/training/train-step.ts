import type { TrainingConfig } from '../contracts/training.js';
import type { LanguageModel, TokenBatch } from '../models/language-model.js';
import type { State } from '../models/state.js';
import { splitBatch } from './batch-parts.js';
import { clippingScale, gradientNorm } from './gradient-norm.js';
import type { Optimizer } from './optimizer.js';

/** The dependencies of a step. */
export interface TrainStep {
  readonly model: LanguageModel;
  readonly optimizer: Optimizer;
  readonly training: TrainingConfig;
  /** The state of each part of the batch (see gradientAccumulation), which goes on; empty at first. */
  readonly states: (State | null)[];
}

export interface TrainStepResult {
  /** Sum over the tokens, nats. */
  readonly loss: number;
  /** Joint L2 norm before clipping. */
  readonly gradNorm: number;
  /** false: the loss or the norm was not finite, and the weights are as they were; the gradients are still there. */
  readonly isUpdated: boolean;
}

/** One update: reads a batch, accumulates its gradients, clips them by their joint norm, changes the weights. */
export function trainStep(step: TrainStep, batch: TokenBatch, learningRate: number): TrainStepResult {
  const { model, optimizer, training } = step;
  const loss = accumulateGradients(step, batch);
  const gradNorm = gradientNorm(model.parameters, model.kernels);
  const isUpdated = Number.isFinite(loss) && Number.isFinite(gradNorm);
  if (isUpdated) {
    const gradientScale = clippingScale(gradNorm, training.maxGradNorm);
    optimizer.step(model.parameters, { learningRate, gradientScale });
  }
  return { loss, gradNorm, isUpdated };
}

/** @returns the sum of the losses, nats */
function accumulateGradients({ model, training, states }: TrainStep, batch: TokenBatch): number {
  const { activationRegularization, temporalActivationRegularization } = training;
  const tokens = batch.targets.length;
  const gradientScale = 1 / (training.lossReduction === 'mean' ? tokens : batch.batchSize);
  let loss = 0;
  splitBatch(batch, training.gradientAccumulation).forEach((part, index) => {
    const share = part.batchSize / batch.batchSize;
    model.putState(states[index] ?? null);
    const losses = model.accumulateGradients(part, {
      gradientScale,
      activationRegularization: activationRegularization * share,
      temporalActivationRegularization: temporalActivationRegularization * share,
    });
    states[index] = model.takeState();
    for (const value of losses) loss += value;
  });
  return loss;
}
