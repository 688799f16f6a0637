import { evaluationBatches } from '../corpus/batch-iterator.js';
import type { LanguageModel } from '../models/language-model.js';

export interface EvaluationReading {
  /** Streams N read side by side. */
  readonly batchSize: number;
  /** Time steps T of one batch. It changes memory and speed, not the exact result: the state flows on. */
  readonly bpttLength: number;
  /** exact: every token but the first is predicted once; book: whole batches only, the rest is dropped. */
  readonly counting: 'exact' | 'book';
}

export interface Evaluation {
  /** Nats per token, the mean over all predicted tokens. */
  readonly loss: number;
  /** exp(loss) */
  readonly perplexity: number;
  /** Predicted tokens. */
  readonly tokens: number;
}

/**
 * Reads a text without learning from it. The model's own state is as before afterwards.
 * @param ids the whole text; its first token is only read, not predicted
 * @throws corpus-too-short
 */
export function evaluate(model: LanguageModel, ids: Int32Array, reading: EvaluationReading): Evaluation {
  const ownState = model.takeState();
  let total = 0;
  let tokens = 0;
  try {
    for (const batch of evaluationBatches(ids, reading)) {
      for (const loss of model.losses(batch).subarray(0, batch.predictions)) total += loss;
      tokens += batch.predictions;
    }
  } finally {
    model.putState(ownState);
  }
  const loss = total / tokens;
  return { loss, perplexity: Math.exp(loss), tokens };
}

/** Bits per byte of text: comparable between tokenizers. @param loss nats per token */
export function bitsPerByte(loss: number, tokens: number, bytes: number): number {
  return (loss * tokens) / Math.LN2 / bytes;
}
