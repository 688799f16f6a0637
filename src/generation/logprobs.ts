import type { TokenLogprob } from '../contracts/generation.js';
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

/**
 * The same by what the tokens read like at their place. Of tokens that read alike the likeliest counts, and the chosen one
 * is always among them.
 */
export function nameLogprobs(
  { chosen, top }: Logprobs,
  id: number,
  read: (id: number) => string,
): Omit<TokenLogprob, 'start'> {
  const named = new Map<string, number>(); // no plain object: "constructor" is a word like any other
  for (const [other, logprob] of top) {
    const text = read(other);
    if (!named.has(text)) named.set(text, logprob);
  }
  const token = read(id);
  return { token, logprob: chosen, top: Object.fromEntries(named.set(token, chosen)) };
}
