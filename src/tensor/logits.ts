import type * as tf from './tensorflow.js';

/** Beyond so many it is faster to sort all. */
export const MAX_INSERTED = 512;

/** The largest logits of one stream or of several, each from the likeliest token down, one stream after another. */
export interface TopLogits {
  readonly ids: Int32Array;
  readonly values: Float32Array;
}

/**
 * The largest logits of N streams; equal ones in the order of their ids. The twin of what the native kernels choose.
 * @param logits [N, V], borrowed @param count at most V
 */
export function composedTopLogits(logits: tf.Tensor2D, count: number): TopLogits {
  const [streams, size] = logits.shape;
  const all = logits.dataSync<'float32'>();
  const ids = new Int32Array(streams * count);
  const values = new Float32Array(streams * count);
  for (let n = 0; n < streams; n++) {
    const row = all.subarray(n * size, (n + 1) * size);
    likeliestIds(row, count).forEach((id, place) => {
      ids[n * count + place] = id;
      values[n * count + place] = row[id]!;
    });
  }
  return { ids, values };
}

/**
 * Ids from the likeliest down, the first `count` of them; equal ones in the order of their ids.
 * @param logits of the whole vocabulary @param count at most as many as there are logits
 */
export function likeliestIds(logits: Float32Array, count: number): Int32Array {
  if (count > MAX_INSERTED) {
    const byLogit = (a: number, b: number) => logits[b]! - logits[a]! || a - b;
    return new Int32Array(logits.length)
      .map((_, id) => id)
      .sort(byLogit)
      .subarray(0, count);
  }
  const ids = new Int32Array(count);
  const largest = new Float32Array(count).fill(Number.NEGATIVE_INFINITY); // descending
  let found = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (found === count && logit <= largest[count - 1]!) continue;
    let place = found < count ? found++ : count - 1;
    for (; place > 0 && largest[place - 1]! < logit; place--) {
      largest[place] = largest[place - 1]!;
      ids[place] = ids[place - 1]!;
    }
    largest[place] = logit;
    ids[place] = id;
  }
  return ids;
}

/** ln Σ exp(logit): what is taken from a logit to make it ln p. */
export function logNormalizer(logits: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}
