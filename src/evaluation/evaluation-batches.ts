import type { TokenBatch } from '../models/language-model.js';

export interface EvaluationReading {
  /** Streams N read side by side. */
  readonly batchSize: number;
  /** Time steps T of one batch. It changes memory and speed, not the result: the state flows on. */
  readonly time: number;
  /**
   * exact: every token but the first is predicted once. The text is cut into N streams of equal length, and what is
   * left over (fewer than N tokens) is read on from the last stream.
   *
   * book: as `eval_perplexity` of Deep Learning from Scratch 2 counts: only whole batches of T steps; the rest is
   * dropped.
   */
  readonly counting: 'exact' | 'book';
}

/**
 * The batches of an evaluation, in order. All have N streams but perhaps the last, which has one: it goes on from the
 * last stream of the batches before.
 * @param ids the whole text; its first token is only read, not predicted
 */
export function* evaluationBatches(ids: Int32Array, reading: EvaluationReading): Generator<TokenBatch> {
  const predictions = ids.length - 1;
  const batchSize = Math.min(reading.batchSize, Math.max(1, predictions));
  const length = Math.floor(predictions / batchSize); // of a stream
  const used = reading.counting === 'exact' ? length : length - (length % reading.time);
  for (let position = 0; position < used; position += reading.time) {
    const time = Math.min(reading.time, used - position);
    yield streams(ids, { first: position, stride: length, time, batchSize });
  }
  const leftOver = predictions - length * batchSize;
  if (reading.counting === 'exact' && leftOver > 0) {
    yield streams(ids, { first: length * batchSize, stride: 0, time: leftOver, batchSize: 1 });
  }
}

interface Window {
  readonly first: number;
  /** Tokens between the beginnings of two streams. */
  readonly stride: number;
  readonly time: number;
  readonly batchSize: number;
}

function streams(ids: Int32Array, { first, stride, time, batchSize }: Window): TokenBatch {
  const inputs = new Int32Array(time * batchSize);
  const targets = new Int32Array(time * batchSize);
  for (let t = 0; t < time; t++) {
    for (let n = 0; n < batchSize; n++) {
      const position = n * stride + first + t;
      inputs[t * batchSize + n] = ids[position]!;
      targets[t * batchSize + n] = ids[position + 1]!;
    }
  }
  return { inputs, targets, time, batchSize };
}
