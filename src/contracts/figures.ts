import { z } from 'zod';

/** The one way to say that a perplexity is beyond what a double holds: a loss of more than 709 nats has one that is. */
export const Perplexity = z
  .number()
  .nullable()
  .describe('exp(mean loss in nats per token); null = beyond what a double holds');

/** @param loss mean, nats per token */
export function perplexityOf(loss: number): number | null {
  const perplexity = Math.exp(loss);
  return Number.isFinite(perplexity) ? perplexity : null;
}
