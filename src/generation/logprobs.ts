/** ln p of one token, and of the likeliest ones. */
export interface Logprobs {
  readonly chosen: number;
  /** From the likeliest down. */
  readonly top: readonly (readonly [id: number, logprob: number])[];
}

/** From the logits of all tokens. @param count how many of the likeliest */
export function logprobsOf(logits: Float32Array, id: number, count: number): Logprobs {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  const normalizer = largest + Math.log(sum);
  const top: [number, number][] = [];
  for (const [other, logit] of logits.entries()) {
    const last = top.at(-1);
    if (count === 0 || (top.length === count && last && logit - normalizer <= last[1])) continue;
    if (top.length === count) top.pop();
    const place = top.findIndex(([, logprob]) => logprob < logit - normalizer);
    top.splice(place < 0 ? top.length : place, 0, [other, logit - normalizer]);
  }
  return { chosen: logits[id]! - normalizer, top };
}
