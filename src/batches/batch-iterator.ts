import { appError } from '../errors.js';

/** T steps of N streams, time-major: entry t·N + n is step t of stream n. */
export interface Batch {
  readonly inputs: Int32Array; // [T, N]
  /** `targets[i]` is the token that follows `inputs[i]` in the text. */
  readonly targets: Int32Array; // [T, N]
  readonly time: number;
  readonly batchSize: number;
  /** Steps of each stream before this batch. 0: nothing came before, so the model's state must be empty. */
  readonly start: number;
  /** How many entries count, from the first: all T·N but in the last batch of an exact evaluation. */
  readonly predictions: number;
}

/** Where a {@link BatchIterator} is; plain data for a checkpoint. */
export interface BatchCursor {
  /** Steps of each stream that were read in this epoch (book: since the first epoch). */
  readonly position: number;
  /** Epochs that have ended. */
  readonly epoch: number;
}

/**
 * Reads a token stream as N streams side by side, epoch after epoch.
 *
 * exact: stream n is the n-th of N equal parts of the text; L = ⌊(tokens − 1) / N⌋ steps. Every batch goes on where the
 * last one ended; the last of an epoch is shorter and ends with the part, so no batch holds text that does not follow.
 * What does not fill N streams (fewer than N predictions at the end of the text) is not trained on.
 *
 * book: as in Deep Learning from Scratch 2 (`RnnlmTrainer.get_batch`): `jump = ⌊(tokens − 1) / N⌋`, stream n starts at
 * n·jump, an epoch has ⌊(tokens − 1) / (N·T)⌋ batches of T steps, the remainder is left to the next epoch, which goes
 * on from there, each stream into the part of the next and the last round to the beginning.
 */
export class BatchIterator {
  readonly batchSize: number;
  /** L: steps that one stream has in an epoch. */
  readonly streamLength: number;
  readonly #ids: Int32Array;
  readonly #bookTime: number | null;
  #position: number;
  #epoch: number;

  /**
   * @param options.counting exact, or book with the fixed T that the epoch's length depends on
   * @param options.cursor where to go on, as {@link cursor} gave it
   * @throws corpus-too-short
   */
  constructor(
    ids: Int32Array,
    options: {
      batchSize: number;
      counting?: { mode: 'exact' } | { mode: 'book'; bpttLength: number };
      cursor?: BatchCursor;
      /** Named in errors. */
      split?: string;
    },
  ) {
    const { batchSize, counting = { mode: 'exact' }, cursor, split = 'train' } = options;
    this.#bookTime = counting.mode === 'book' ? counting.bpttLength : null;
    const least = batchSize * (this.#bookTime ?? 1) + 1;
    if (ids.length < least) {
      const why = ` (${batchSize} streams of ${this.#bookTime ?? 1}, and the token after them)`;
      throw appError('corpus-too-short', { split, tokens: ids.length, least, why });
    }
    this.batchSize = batchSize;
    this.streamLength = Math.floor((ids.length - 1) / batchSize);
    this.#ids = ids;
    this.#position = cursor?.position ?? 0;
    this.#epoch = cursor?.epoch ?? 0;
  }

  /** Where the next batch starts. */
  get cursor(): BatchCursor {
    return { position: this.#position, epoch: this.#epoch };
  }

  /** Predictions that one epoch trains on. */
  get predictionsPerEpoch(): number {
    return this.#stepsOfEpoch * this.batchSize;
  }

  /** Batches of an epoch when each asks for `length` steps. */
  batchesPerEpoch(length: number): number {
    return Math.ceil(this.#stepsOfEpoch / length);
  }

  /**
   * The next batch of at most `length` steps; null at the end of the epoch, and the call after that begins the next one.
   */
  next(length: number): Batch | null {
    const read = this.#position - (this.#bookTime === null ? 0 : this.#epoch * this.#stepsOfEpoch);
    const time = Math.min(length, this.#stepsOfEpoch - read);
    if (time <= 0) {
      this.#epoch++;
      if (this.#bookTime === null) this.#position = 0;
      return null;
    }
    const start = this.#position;
    this.#position += time;
    return readStreams(this.#ids, this.batchSize, this.streamLength, start, time);
  }

  get #stepsOfEpoch(): number {
    if (this.#bookTime === null) return this.streamLength;
    return Math.floor((this.#ids.length - 1) / (this.batchSize * this.#bookTime)) * this.#bookTime;
  }
}

/** Streams of equal length that start `jump` apart; positions past the last prediction go round (book only). */
function readStreams(ids: Int32Array, batchSize: number, jump: number, start: number, time: number): Batch {
  const inputs = new Int32Array(time * batchSize);
  const targets = new Int32Array(time * batchSize);
  const predictions = ids.length - 1;
  for (let n = 0; n < batchSize; n++) {
    for (let t = 0; t < time; t++) {
      const at = (n * jump + start + t) % predictions;
      inputs[t * batchSize + n] = ids[at]!;
      targets[t * batchSize + n] = ids[at + 1]!;
    }
  }
  return { inputs, targets, time, batchSize, start, predictions: time * batchSize };
}

/**
 * All batches of one evaluation, for a model that starts without a state and keeps it from batch to batch.
 *
 * exact: every one of the tokens − 1 predictions stands in exactly one batch. Of the N streams (fewer when the text is
 * shorter) the first r are one step longer; that step is a last batch of time 1 in which only the first r entries
 * count: `losses.subarray(0, batch.predictions)`. The rest is padding, whose state nobody reads.
 *
 * book: ⌊(tokens − 1) / (N·T)⌋ batches of T, the remainder left out (`eval_perplexity`).
 * @throws corpus-too-short
 */
export function* evaluationBatches(
  ids: Int32Array,
  options: { batchSize: number; bpttLength: number; counting?: 'exact' | 'book'; split?: string },
): Generator<Batch, void, undefined> {
  const { bpttLength, counting = 'exact', split = 'test' } = options;
  if (counting === 'book') {
    const { batchSize } = options;
    const iterator = new BatchIterator(ids, { batchSize, split, counting: { mode: 'book', bpttLength } });
    for (let batch = iterator.next(bpttLength); batch !== null; batch = iterator.next(bpttLength))
      yield batch;
    return;
  }
  const predictions = ids.length - 1;
  if (predictions < 1) throw appError('corpus-too-short', { split, tokens: ids.length, least: 2, why: '' });
  const batchSize = Math.min(options.batchSize, predictions);
  const length = Math.floor(predictions / batchSize);
  const longer = predictions % batchSize;
  for (let start = 0; start < length; start += bpttLength) {
    const time = Math.min(bpttLength, length - start);
    yield readUnequalStreams(ids, batchSize, length, longer, start, time);
  }
  if (longer > 0) yield readUnequalStreams(ids, batchSize, length, longer, length, 1);
}

/** Stream n starts at n·length + min(n, longer): the first `longer` streams have one step more. */
function readUnequalStreams(
  ids: Int32Array,
  batchSize: number,
  length: number,
  longer: number,
  start: number,
  time: number,
): Batch {
  const inputs = new Int32Array(time * batchSize);
  const targets = new Int32Array(time * batchSize);
  const counted = start === length ? longer : batchSize;
  for (let n = 0; n < counted; n++) {
    const offset = n * length + Math.min(n, longer) + start;
    for (let t = 0; t < time; t++) {
      inputs[t * batchSize + n] = ids[offset + t]!;
      targets[t * batchSize + n] = ids[offset + t + 1]!;
    }
  }
  return { inputs, targets, time, batchSize, start, predictions: (time - 1) * batchSize + counted };
}
