/** From the logits of the next token to a token: all that temperature and its friends do. Plain numbers, no tensors. */

export interface SamplingOptions {
  /** Divides the logits; 0 = the likeliest token. */
  readonly temperature: number;
  /** 0 = all. */
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  /** Above 1: tokens seen already become less likely (Keskar et al. 2019, arXiv 1909.05858, section 4.1). */
  readonly repetitionPenalty: number;
}

/**
 * Draws a token id.
 * @param logits of the whole vocabulary; changed in place
 * @param random uniform in [0, 1)
 * @param seen ids that the repetition penalty acts on
 * @param banned ids that are never drawn
 */
export function sampleToken(
  logits: Float32Array,
  options: SamplingOptions,
  random: number,
  seen: ReadonlySet<number>,
  banned: ReadonlySet<number>,
): number {
  for (const id of banned) logits[id] = Number.NEGATIVE_INFINITY;
  if (options.repetitionPenalty !== 1) penalize(logits, seen, options.repetitionPenalty);
  if (options.temperature === 0) return likeliest(logits);
  const candidates = sortedCandidates(logits, options.topK);
  const weights = softmaxWeights(candidates, logits, options.temperature);
  const kept = keepLikely(weights, options);
  return candidates[draw(weights, kept, random)]!;
}

function penalize(logits: Float32Array, seen: ReadonlySet<number>, penalty: number): void {
  for (const id of seen) {
    const logit = logits[id]!;
    logits[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** Ids from the likeliest down, the first K of them; equal ones in the order of their ids. */
function sortedCandidates(logits: Float32Array, topK: number): Int32Array {
  const ids = Int32Array.from(logits.keys());
  const order = (a: number, b: number) => logits[b]! - logits[a]! || a - b;
  if (topK === 0 || topK >= ids.length) return ids.sort(order);
  const threshold = kthLargest(logits, topK);
  return ids
    .filter((id) => logits[id]! >= threshold)
    .sort(order)
    .subarray(0, topK);
}

function kthLargest(values: Float32Array, k: number): number {
  return values.slice().sort()[values.length - k]!;
}

/** exp((logit − largest) / temperature), not yet divided by their sum. */
function softmaxWeights(candidates: Int32Array, logits: Float32Array, temperature: number): Float64Array {
  const largest = logits[candidates[0]!]!;
  return Float64Array.from(candidates, (id) => Math.exp((logits[id]! - largest) / temperature));
}

/** How many of the sorted candidates stay after top-p and min-p; at least one. */
function keepLikely(weights: Float64Array, { topP, minP }: SamplingOptions): number {
  let kept = weights.length;
  if (minP > 0) {
    const least = weights[0]! * minP;
    while (kept > 1 && weights[kept - 1]! < least) kept--;
  }
  if (topP < 1) {
    const total = weights.subarray(0, kept).reduce((sum, weight) => sum + weight, 0);
    let cumulated = 0;
    for (let index = 0; index < kept; index++) {
      cumulated += weights[index]!;
      if (cumulated >= topP * total) return index + 1;
    }
  }
  return kept;
}

/** Index of the weight that a uniform number falls on. */
function draw(weights: Float64Array, kept: number, random: number): number {
  let rest = random * weights.subarray(0, kept).reduce((sum, weight) => sum + weight, 0);
  for (let index = 0; index < kept; index++) {
    rest -= weights[index]!;
    if (rest < 0) return index;
  }
  return kept - 1;
}
