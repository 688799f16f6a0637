/** How a trained model may adapt to the text that it is evaluated on. */
import { z } from 'zod';
import { Perplexity } from './figures.js';

const search = (what: string) =>
  z
    .boolean()
    .default(false)
    .describe(`Choose ${what} on the valid split first; what is given here is then ignored`);

/** The continuous cache (Grave et al. 2017, arXiv 1612.04426). */
export const CacheOptions = z
  .strictObject({
    window: z.int().min(1).max(100_000).default(500).describe('Tokens that the cache looks back'),
    theta: z
      .number()
      .min(0)
      .max(100)
      .default(1)
      .describe('θ, flatness: 0 = all tokens of the window alike; higher = only those in a like context'),
    lambda: z.number().min(0).lt(1).default(0.1).describe('λ, weight of the cache; the model has 1 − λ'),
    search: search('window, theta and lambda'),
  })
  .describe('Mix in what was read recently: a continuous cache over the hidden states');
export type CacheOptions = z.infer<typeof CacheOptions>;

/** Dynamic evaluation (Krause et al. 2018, arXiv 1709.07432). */
export const DynamicOptions = z
  .strictObject({
    rule: z
      .enum(['rms', 'sgd'])
      .default('rms')
      .describe(
        'rms: steps divided by the root mean square of the training gradients, decay scaled by it (RMS with a global prior); sgd: plain stochastic gradient descent',
      ),
    learningRate: z
      .number()
      .min(0)
      .max(1000)
      .nullable()
      .default(null)
      .describe('η; null = 0.00005 (rms) or 0.1 (sgd), for segments of 5 tokens'),
    decay: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .default(null)
      .describe('λ: part of the way back to the trained weights at each step; null = 0.002 (rms) or 0 (sgd)'),
    epsilon: z
      .number()
      .gt(0)
      .max(1)
      .default(0.00002)
      .describe('ε, added to the root mean square; read by "rms" only'),
    segmentLength: z.int().min(1).max(1000).default(5).describe('Tokens read between two updates'),
    statisticsBatches: z
      .int()
      .min(1)
      .max(1_000_000)
      .nullable()
      .default(200)
      .describe(
        'Batches of 100 segments of the train split that the root mean square is taken over; null = the whole split; read by "rms" only',
      ),
    search: search('learningRate and decay'),
    searchTokens: z
      .int()
      .min(100)
      .max(10_000_000)
      .default(10_000)
      .describe('Tokens of the valid split, from its beginning, that the search reads'),
  })
  .describe(
    'Learn from each segment of the text after it was predicted; the trained weights stay as they are',
  );
export type DynamicOptions = z.infer<typeof DynamicOptions>;

export const EvaluationRequest = z
  .strictObject({
    corpus: z.string().min(1).max(200).optional().describe('Default: the corpus it was trained on'),
    split: z.enum(['train', 'valid', 'test']).optional().describe('Default: test'),
    text: z.string().min(1).optional().describe('Instead of a split: a text of one’s own'),
    counting: z
      .enum(['exact', 'book'])
      .default('exact')
      .describe('exact: mean over all tokens; book: without the remainder'),
    cache: CacheOptions.optional(),
    dynamic: DynamicOptions.optional(),
  })
  .superRefine(({ cache, dynamic, counting }, context) => {
    if ((cache || dynamic) && counting === 'book')
      context.addIssue({
        code: 'custom',
        path: ['counting'],
        message: 'cache and dynamic read the text as one stream, every token of it; counting must be "exact"',
      });
  })
  .meta({ examples: [{ split: 'test' }, { text: 'the cat sat on the mat' }, { split: 'test', cache: {} }] });
export type EvaluationRequest = z.infer<typeof EvaluationRequest>;

export const EvaluationResult = z
  .object({
    perplexity: Perplexity,
    loss: z.number().describe('Nats per token'),
    tokens: z.int(),
    bitsPerByte: z
      .number()
      .nullable()
      .describe('Comparable between tokenizers: what <unk> hides is charged for, as if the model spelled it'),
    cache: CacheOptions.optional().describe('What was used; after a search, what it chose'),
    dynamic: DynamicOptions.optional().describe('What was used; after a search, what it chose'),
  })
  .meta({
    id: 'EvaluationResult',
    examples: [{ perplexity: 136.5, loss: 4.916, tokens: 82_429, bitsPerByte: 1.299 }],
  });
export type EvaluationResult = z.infer<typeof EvaluationResult>;

/** How far an evaluation is. Phases come in this order; those that are not needed are left out. */
export const EvaluationProgress = z.object({
  phase: z
    .enum(['statistics', 'search', 'evaluation'])
    .describe(
      'statistics: the gradients on the train split are measured; search: hyper-parameters are tried on the valid split; evaluation: the text itself is read',
    ),
  tokens: z.int().describe('Tokens of the phase that were read; a search begins anew with each try'),
  totalTokens: z.int().describe('Tokens that will be read'),
  perplexity: Perplexity.describe('Of what was read so far; null where nothing is predicted'),
});
export type EvaluationProgress = z.infer<typeof EvaluationProgress>;
