import { z } from 'zod';

/** A perplexity that may exceed the range of a double, as that of a loss above 709 nats does: it is null then. */
export const Perplexity = z
  .number()
  .nullable()
  .describe('exp(mean loss in nats per token); null = larger than a double can hold');

/** @param loss mean, nats per token */
export function perplexityOf(loss: number): number | null {
  const perplexity = Math.exp(loss);
  return Number.isFinite(perplexity) ? perplexity : null;
}
