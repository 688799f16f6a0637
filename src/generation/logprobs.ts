import { likeliestIds, logNormalizer } from '../tensor/logits.js';

/** ln p of one token, and of the likeliest ones. */
export interface Logprobs {
  readonly chosen: number;
  /** From the likeliest down. */
  readonly top: readonly (readonly [id: number, logprob: number])[];
}

/** From the logits of all tokens. @param count how many of the likeliest */
export function logprobsOf(logits: Float32Array, id: number, count: number): Logprobs {
  const normalizer = logNormalizer(logits);
  const ids = likeliestIds(logits, Math.min(count, logits.length));
  const top = Array.from(ids, (other) => [other, logits[other]! - normalizer] as const);
  return { chosen: logits[id]! - normalizer, top };
}
