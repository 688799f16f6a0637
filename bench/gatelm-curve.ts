import type { ExperimentConfig } from '../src/contracts/experiment-config.js';
import type { CorpusSource } from '../src/corpora/corpus-source.js';
import { evaluate } from '../src/evaluation/evaluate.js';
import { parameterCount } from '../src/models/language-model.js';
import type { CurvePoint } from './first-crossings.js';
import { openTrainer } from './open-trainer.js';

export interface CurveOptions {
  /** Steps between two evaluations of valid, besides those at the end of each epoch. */
  readonly evaluateEvery: number;
  /** Perplexity of valid at which the training ends before its epochs do. */
  readonly until: number;
  /** Is called with each point, the first before any step. */
  readonly follow: (point: CurvePoint) => void;
}

/**
 * Trains with the library, and evaluates valid also within epochs, between two steps: the trainer goes on as if nothing had
 * happened.
 * @param folder of the checkpoints
 */
export async function trainCurve(
  config: ExperimentConfig,
  source: CorpusSource,
  folder: string,
  { evaluateEvery, until, follow }: CurveOptions,
) {
  const training = { ...config.training, metricsEvery: evaluateEvery };
  const { trainer, model, splits } = await openTrainer({ ...config, training }, source, folder);
  const { evaluationBatchSize: batchSize, bpttLength } = training;
  const validPerplexity = () =>
    Math.exp(evaluate(model, splits.valid, { batchSize, bpttLength, counting: 'exact' }).loss);
  const curve: CurvePoint[] = [];
  let secondsOfEpochs = 0;
  const add = (step: number, epoch: number, perplexity: number) => {
    const seconds = secondsOfEpochs + trainer.progress.epochSeconds;
    const point = { step, epoch, seconds, validPerplexity: perplexity };
    curve.push(point);
    follow(point);
  };
  const isReached = () => curve.some((point) => point.validPerplexity <= until);
  try {
    for await (const event of trainer.run(() => (isReached() ? 'cancel' : null))) {
      if (event.type === 'started') add(0, 0, validPerplexity());
      if (event.type === 'step') add(event.data.step, event.data.epoch, validPerplexity());
      if (event.type === 'epoch') {
        const { step, epoch, validPerplexity: perplexity } = event.data;
        if (curve.at(-1)?.step !== step) add(step, epoch, perplexity ?? Number.POSITIVE_INFINITY);
        secondsOfEpochs += trainer.progress.epochSeconds;
      }
    }
    return { parameterCount: parameterCount(model), trainTokens: splits.train.length, curve };
  } finally {
    trainer.dispose();
    model.dispose();
  }
}
