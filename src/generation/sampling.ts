/** Chooses a token from logits: temperature, top-k, top-p, min-p and repetition penalty. Plain numbers, no tensors. */
import { likeliestIds, MAX_INSERTED, type TopLogits } from '../tensor/logits.js';

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
 * Samples a token id.
 * @param logits of the whole vocabulary; changed in place
 * @param random uniform in [0, 1)
 * @param seen ids to which the repetition penalty applies
 * @param banned ids that are never sampled
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
  const { topK, topP, minP, temperature } = options;
  if (topK > 0 && topK < logits.length) {
    const ids = likeliestIds(logits, topK);
    return drawFromTop({ ids, values: Float32Array.from(ids, (id) => logits[id]!) }, options, random);
  }
  const weights = softmaxWeights(null, logits, temperature);
  if (topP === 1 && minP === 0) return draw(weights, weights.length, random); // in any order
  return drawAmongLikely(logits, weights, options, random);
}

/**
 * The number of largest logits that {@link sampleFromTop} needs for the same result as {@link sampleToken}; null = all.
 * @param banned ids that are never sampled
 */
export function topCount(
  { temperature, topK, repetitionPenalty }: SamplingOptions,
  vocabularySize: number,
  banned: ReadonlySet<number>,
): number | null {
  if (repetitionPenalty !== 1 || (temperature > 0 && (topK === 0 || topK >= vocabularySize))) return null;
  const count = (temperature === 0 ? 1 : topK) + banned.size;
  return count <= MAX_INSERTED ? Math.min(count, vocabularySize) : null;
}

/** {@link sampleToken} from the largest logits alone. @param top of one stream, at least {@link topCount} */
export function sampleFromTop(
  top: TopLogits,
  options: SamplingOptions,
  random: number,
  banned: ReadonlySet<number>,
): number {
  const limit = options.temperature === 0 ? 1 : options.topK;
  const kept = banned.size === 0 ? top : without(banned, top);
  return drawFromTop(
    { ids: kept.ids.subarray(0, limit), values: kept.values.subarray(0, limit) },
    options,
    random,
  );
}

function without(banned: ReadonlySet<number>, { ids, values }: TopLogits): TopLogits {
  const places = [...ids.keys()].filter((place) => !banned.has(ids[place]!));
  return {
    ids: Int32Array.from(places, (place) => ids[place]!),
    values: Float32Array.from(places, (place) => values[place]!),
  };
}

function drawFromTop({ ids, values }: TopLogits, options: SamplingOptions, random: number): number {
  if (options.temperature === 0) return ids[0]!;
  const weights = softmaxWeights(null, values, options.temperature);
  return ids[draw(weights, keepLikely(weights, options), random)]!;
}

/** Sorts only as many ids as needed: most of the vocabulary is unlikely. */
function drawAmongLikely(
  logits: Float32Array,
  all: Float64Array,
  options: SamplingOptions,
  random: number,
): number {
  const total = sum(all, all.length);
  for (let count = 64; ; count *= 8) {
    const ids = likeliestIds(logits, Math.min(count, logits.length));
    const weights = softmaxWeights(ids, logits, options.temperature);
    const isEnough =
      weights.at(-1)! < options.minP ||
      (options.minP === 0 && sum(weights, weights.length) >= options.topP * total);
    if (isEnough || ids.length === logits.length)
      return ids[draw(weights, keepLikely(weights, options, total), random)]!;
  }
}

/** The largest float32: infinite logits have no difference from each other. */
const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;

function penalize(logits: Float32Array, seen: ReadonlySet<number>, penalty: number): void {
  for (const id of seen) {
    const logit = logits[id]!;
    logits[id] = logit > 0 ? Math.min(logit / penalty, MAX_FLOAT) : logit * penalty;
  }
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** exp((logit − largest) / temperature), not normalized. @param ids in descending order of their logits; null = all */
function softmaxWeights(ids: Int32Array | null, logits: Float32Array, temperature: number): Float64Array {
  const largest = logits[ids ? ids[0]! : likeliest(logits)]!;
  const weights = new Float64Array((ids ?? logits).length);
  for (let index = 0; index < weights.length; index++) {
    weights[index] = Math.exp((logits[ids ? ids[index]! : index]! - largest) / temperature);
  }
  return weights;
}

/**
 * The number of sorted candidates that remain after min-p and top-p; at least one.
 * @param total sum of the weights of all candidates, if there are more than these
 */
function keepLikely(weights: Float64Array, { topP, minP }: SamplingOptions, total = 0): number {
  let kept = weights.length;
  if (minP > 0) while (kept > 1 && weights[kept - 1]! < minP) kept--; // the largest weight is 1
  if (topP < 1) {
    const all = minP === 0 && total > 0 ? total : sum(weights, kept);
    let cumulated = 0;
    for (let index = 0; index < kept; index++) {
      cumulated += weights[index]!;
      if (cumulated >= topP * all) return index + 1;
    }
  }
  return kept;
}

/** Index of the weight that a uniform random number selects. */
function draw(weights: Float64Array, kept: number, random: number): number {
  let rest = random * sum(weights, kept);
  for (let index = 0; index < kept; index++) {
    rest -= weights[index]!;
    if (rest < 0) return index;
  }
  return kept - 1;
}

/** Sum of the first `count` weights. */
function sum(weights: Float64Array, count: number): number {
  let total = 0;
  for (let index = 0; index < count; index++) total += weights[index]!;
  return total;
}
