/** Evaluation requests, and the methods that adapt a trained model to the text that it is evaluated on. */
import { z } from 'zod';
import { Perplexity } from './figures.js';

const search = (what: string) =>
  z
    .boolean()
    .default(false)
    .describe(`First choose ${what} on the valid split; the values given here are then ignored`);

/** The continuous cache (Grave et al. 2017, arXiv 1612.04426). */
export const CacheOptions = z
  .strictObject({
    window: z.int().min(1).max(100_000).default(500).describe('Size of the cache, in tokens'),
    theta: z
      .number()
      .min(0)
      .max(100)
      .default(1)
      .describe(
        'θ, flatness: 0 = all tokens of the window weigh the same; higher = only those in a similar context',
      ),
    lambda: z
      .number()
      .min(0)
      .lt(1)
      .default(0.1)
      .describe('λ, weight of the cache; the model has the weight 1 − λ'),
    search: search('window, theta and lambda'),
  })
  .describe('Mix recently read tokens into the predictions: a continuous cache over the hidden states');
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
      .describe(
        'λ: fraction by which each step decays back towards the trained weights; null = 0.002 (rms) or 0 (sgd)',
      ),
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
        'Batches of 100 segments of the train split over which the root mean square is computed; null = the whole split; read by "rms" only',
      ),
    search: search('learningRate and decay'),
    searchTokens: z
      .int()
      .min(100)
      .max(10_000_000)
      .default(10_000)
      .describe('Tokens of the valid split, from its beginning, that the search reads'),
  })
  .describe('Adapt to each segment of the text after it was predicted; the stored weights are not changed');
export type DynamicOptions = z.infer<typeof DynamicOptions>;

/** How a request lets the model adapt to the text. */
export interface AdaptationRequest {
  readonly cache?: CacheOptions | undefined;
  readonly dynamic?: DynamicOptions | undefined;
}

/** Whether an adaptation needs the corpus on which the model was trained. */
export function readsTrainingCorpus({ cache, dynamic }: AdaptationRequest): boolean {
  return cache?.search === true || dynamic?.search === true || dynamic?.rule === 'rms';
}

export const EvaluationRequest = z
  .strictObject({
    corpus: z.string().min(1).max(200).optional().describe('Default: the corpus it was trained on'),
    split: z.enum(['train', 'valid', 'test']).optional().describe('Default: test'),
    text: z.string().min(1).optional().describe('A text to evaluate instead of a split'),
    counting: z
      .enum(['exact', 'book'])
      .default('exact')
      .describe('exact: mean over all tokens; book: without the last incomplete batch'),
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
      .describe(
        'Comparable between tokenizers: the words behind <unk> are charged for as if the model spelled them',
      ),
    cache: CacheOptions.optional().describe('The values that were used; after a search, those that it chose'),
    dynamic: DynamicOptions.optional().describe(
      'The values that were used; after a search, those that it chose',
    ),
  })
  .meta({
    id: 'EvaluationResult',
    examples: [{ perplexity: 136.5, loss: 4.916, tokens: 82_429, bitsPerByte: 1.299 }],
  });
export type EvaluationResult = z.infer<typeof EvaluationResult>;

/** Progress of an evaluation. Phases come in this order; those that are not needed are skipped. */
export const EvaluationProgress = z.object({
  phase: z
    .enum(['statistics', 'search', 'evaluation'])
    .describe(
      'statistics: gradient statistics are collected on the train split; search: hyperparameters are tried on the valid split; evaluation: the text itself is read',
    ),
  tokens: z.int().describe('Tokens read in this phase; a search starts at 0 again for each candidate'),
  totalTokens: z.int().describe('Tokens to read in this phase'),
  perplexity: Perplexity.describe('Of the tokens read so far; null while nothing is predicted'),
});
export type EvaluationProgress = z.infer<typeof EvaluationProgress>;
