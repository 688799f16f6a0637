import type { LanguageModel, LanguageModelState } from '../models/language-model.js';
import * as tf from '../tensor/tensorflow.js';
import { type EvaluationReading, evaluationBatches } from './evaluation-batches.js';

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
 * @param ids the whole text, at least two tokens
 */
export function evaluate(model: LanguageModel, ids: Int32Array, reading: EvaluationReading): Evaluation {
  const ownState = model.takeState();
  let total = 0;
  let tokens = 0;
  let streams = 0;
  for (const batch of evaluationBatches(ids, reading)) {
    if (streams > 0 && batch.batchSize < streams) model.putState(lastStream(model.takeState()));
    streams = batch.batchSize;
    for (const loss of model.losses(batch)) total += loss;
    tokens += batch.targets.length;
  }
  model.putState(ownState);
  const loss = total / tokens;
  return { loss, perplexity: Math.exp(loss), tokens };
}

/** Bits per byte of text: comparable between tokenizers. @param loss nats per token */
export function bitsPerByte(loss: number, tokens: number, bytes: number): number {
  return (loss * tokens) / Math.LN2 / bytes;
}

/** The state of the last of N streams alone; takes the state of all. */
function lastStream(state: LanguageModelState): LanguageModelState {
  if (!state) return null;
  return state.map(({ hidden, cell }) => {
    const [streams, width] = hidden.shape;
    const last = {
      hidden: tf.slice(hidden, [streams - 1, 0], [1, width]),
      cell: tf.slice(cell, [streams - 1, 0], [1, width]),
    };
    hidden.dispose();
    cell.dispose();
    return last;
  });
}
