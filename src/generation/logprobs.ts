import type { TokenLogprob } from '../contracts/generation.js';
import { likeliestIds, logNormalizer } from '../tensor/logits.js';

/** Log probability of one token, and of the likeliest tokens. */
export interface Logprobs {
  readonly chosen: number;
  /** In descending order. */
  readonly top: readonly (readonly [id: number, logprob: number])[];
}

/** Computes log probabilities from the logits of all tokens. @param count number of likeliest tokens */
export function logprobsOf(logits: Float32Array, id: number, count: number): Logprobs {
  const normalizer = logNormalizer(logits);
  const ids = likeliestIds(logits, Math.min(count, logits.length));
  const top = Array.from(ids, (other) => [other, logits[other]! - normalizer] as const);
  return { chosen: logits[id]! - normalizer, top };
}

/**
 * The same by the text of the tokens in their context. Of tokens with the same text the likeliest counts; the chosen one
 * is always included.
 */
export function nameLogprobs(
  { chosen, top }: Logprobs,
  id: number,
  read: (id: number) => string,
): Omit<TokenLogprob, 'start'> {
  const named = new Map<string, number>(); // not a plain object: "constructor" is an ordinary token
  for (const [other, logprob] of top) {
    const text = read(other);
    if (!named.has(text)) named.set(text, logprob);
  }
  const token = read(id);
  return { token, logprob: chosen, top: Object.fromEntries(named.set(token, chosen)) };
}
