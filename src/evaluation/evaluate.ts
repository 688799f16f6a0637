import { evaluationBatches } from '../batches/batch-iterator.js';
import type { LanguageModel } from '../models/language-model.js';
import { SeparateState } from '../models/separate-state.js';
import { EvaluationCount, runToEnd, type Stepwise } from './stepwise.js';

export interface EvaluationReading {
  /** Number of parallel streams N. */
  readonly batchSize: number;
  /** Time steps T of one batch. Affects memory and speed, not the exact result: the state carries over. */
  readonly bpttLength: number;
  /** exact: every token but the first is predicted once; book: whole batches only, the rest is dropped. */
  readonly counting: 'exact' | 'book';
}

export interface Evaluation {
  /** Nats per token, the mean over all predicted tokens. */
  readonly loss: number;
  /** exp(loss) */
  readonly perplexity: number | null;
  /** Predicted tokens. */
  readonly tokens: number;
}

/**
 * Evaluates a text without learning from it. The state of the model is unchanged afterwards.
 * @param ids the whole text; its first token is only an input, not predicted
 * @throws corpus-too-short
 */
export function evaluate(model: LanguageModel, ids: Int32Array, reading: EvaluationReading): Evaluation {
  return runToEnd(evaluateStepwise(model, ids, reading));
}

/** {@link evaluate} batch by batch; the model is free between steps. */
export function* evaluateStepwise(
  model: LanguageModel,
  ids: Int32Array,
  reading: EvaluationReading,
): Stepwise<Evaluation> {
  const state = new SeparateState(model);
  const count = new EvaluationCount('evaluation', ids.length - 1);
  try {
    for (const batch of evaluationBatches(ids, reading)) {
      const losses = state.use(() => model.losses(batch));
      count.add(losses.subarray(0, batch.predictions));
      yield count.progress;
    }
  } finally {
    state.dispose();
  }
  return count.result;
}

/**
 * Bits per byte of text: comparable between tokenizers.
 * @param loss nats per token
 * @param hiddenNats cost of spelling the words that are `<unk>`, see unknown-word-coder.ts
 */
export function bitsPerByte(loss: number, tokens: number, bytes: number, hiddenNats = 0): number {
  return (loss * tokens + hiddenNats) / Math.LN2 / bytes;
}
