import type { TrainingEvent } from '../contracts/events.js';
import type { TrainerProgress } from '../contracts/trainer-progress.js';

type Warning = Extract<TrainingEvent, { type: 'warning' }>;

/** Epochs without a better validation loss after which it is said, once for each best epoch. */
export const EPOCHS_WITHOUT_IMPROVEMENT = 3;
/** Epochs and steps after which a model should have learned something. */
export const JUDGED_FROM = { epoch: 2, step: 100 } as const;
/** Of the loss of a uniform guess, ln V: above, nothing was learned. */
const GUESSING = 0.97;
/** Nats per token above the best epoch, or above a uniform guess, at which a training diverges. */
const DIVERGENCE_NATS = 1;

/**
 * What a user should know after an epoch. Depends on the progress alone, so a training that is resumed says the same.
 * @param progress with the epoch counted
 * @param previousLoss nats per token on the validation split one epoch before; null = this was the first
 * @returns at most one warning: the gravest
 */
export function epochWarning(
  progress: Readonly<TrainerProgress>,
  previousLoss: number | null,
  vocabularySize: number,
): Warning | null {
  const { epoch, bestEpoch, bestValidLoss, lastValidLoss } = progress;
  if (bestEpoch === null || bestValidLoss === null || lastValidLoss === null) return null;
  const guess = Math.log(vocabularySize);
  const diverges = (loss: number) => loss > Math.min(bestValidLoss, guess) + DIVERGENCE_NATS;
  if (diverges(lastValidLoss) && !(previousLoss !== null && diverges(previousLoss)))
    return warning(
      epoch,
      'diverging',
      `The validation perplexity is ${figure(lastValidLoss)}, e times the best one or worse: the training diverges`,
      'Try a smaller optimizer.learningRate, or a smaller training.maxGradNorm',
    );
  if (isFirstJudged(progress) && bestValidLoss > GUESSING * guess)
    return warning(
      epoch,
      'no-learning',
      `After ${epoch} epochs the validation perplexity is ${figure(bestValidLoss)}; guessing among ${vocabularySize} tokens gives ${vocabularySize}`,
      'Try another optimizer.learningRate (ten times as large, or a tenth), or more steps in an epoch: a smaller training.batchSize or bpttLength',
    );
  if (epoch - bestEpoch === EPOCHS_WITHOUT_IMPROVEMENT)
    return warning(
      epoch,
      'no-improvement',
      `The validation loss has not improved for ${EPOCHS_WITHOUT_IMPROVEMENT} epochs; the weights of epoch ${bestEpoch} are served`,
      'Pause or cancel it, set training.earlyStopping, or try more model.dropout, fewer units, or a smaller optimizer.learningRate',
    );
  return null;
}

/** Whether this is the first epoch that ends with enough epochs and steps. */
function isFirstJudged({ epoch, step }: Readonly<TrainerProgress>): boolean {
  const isJudged = (epochs: number, steps: number) =>
    epochs >= JUDGED_FROM.epoch && steps >= JUDGED_FROM.step;
  return isJudged(epoch, step) && !isJudged(epoch - 1, (step * (epoch - 1)) / epoch);
}

function warning(epoch: number, kind: Warning['data']['kind'], message: string, advice: string): Warning {
  return { type: 'warning', data: { epoch, kind, message, advice } };
}

/** A loss in nats as a perplexity. */
function figure(loss: number): string {
  return Math.exp(loss).toPrecision(4);
}
