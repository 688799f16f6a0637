/** Scoring: the surprisal of each token of a text under a model. */
import { z } from 'zod';
import { CacheOptions, DynamicOptions } from './evaluation.js';
import { exampleOf } from './example-of.js';
import { Perplexity } from './figures.js';

/** Maximum number of tokens with `inspect`: each carries dozens of numbers. */
export const MAX_INSPECTED = 2000;

const adaptation = { cache: CacheOptions.optional(), dynamic: DynamicOptions.optional() };
const text = z.string().min(1).max(10_000_000);

const ScoreFields = z.strictObject({
  text: text.optional().describe('One text; alternative to `texts`'),
  texts: z.array(text).min(1).max(1000).optional().describe('Several texts, each scored independently'),
  inspect: z
    .boolean()
    .default(false)
    .describe(
      `Return the activations at each token: gates, cells and hidden values of each layer, and the most likely tokens; at most ${MAX_INSPECTED} tokens`,
    ),
  alternatives: z
    .int()
    .min(0)
    .max(100)
    .default(5)
    .describe('With inspect: number of most likely tokens returned at each token'),
  units: z
    .array(z.strictObject({ layer: z.int().min(0), unit: z.int().min(0) }))
    .max(64)
    .default([])
    .describe('With inspect: units whose values are returned in full; layers and units count from 0'),
  ablate: z
    .array(
      z.strictObject({
        layer: z.int().min(0).max(1000),
        units: z.array(z.int().min(0)).min(1).max(100_000),
      }),
    )
    .max(64)
    .default([])
    .describe(
      'With inspect: units that are ablated: no layer and no later step sees their hidden value. Compare the surprisal with that of the intact model',
    ),
  ...adaptation,
});

/** @param fields additional fields of the request */
export function scoreRequestOf<Shape extends z.ZodRawShape>(fields: Shape) {
  return ScoreFields.extend(fields).superRefine((request, context) => {
    const { text: one, texts, inspect, cache, dynamic } = request as z.infer<typeof ScoreFields>;
    if ((one === undefined) === (texts === undefined))
      context.addIssue({
        code: 'custom',
        path: ['text'],
        message: 'either text or texts is required, not both',
      });
    if (inspect && (cache || dynamic))
      context.addIssue({
        code: 'custom',
        path: ['inspect'],
        message: 'inspection shows the model as it was trained; omit cache and dynamic',
      });
  });
}
export const ScoreRequest = scoreRequestOf({});
export type ScoreRequest = z.infer<typeof ScoreRequest>;

const BITS_PER_BYTE =
  'Comparable between tokenizers: the words behind <unk> are charged for as if the model spelled them';

/** The values of one kind over all units of a layer. */
export const ActivationSummary = z.object({ mean: z.number(), min: z.number(), max: z.number() });
export type ActivationSummary = z.infer<typeof ActivationSummary>;

/** The activations of a recurrent layer at one token. */
export const LayerInspection = z
  .record(z.string(), ActivationSummary)
  .describe('By channel of the cell; for an LSTM: forget, candidate, input, output, cell and hidden');
export type LayerInspection = z.infer<typeof LayerInspection>;

/** The activations of one unit at one token. */
export const UnitInspection = z
  .object({ layer: z.int(), unit: z.int() })
  .catchall(z.number())
  .describe('Its value in each channel of the cell');
export type UnitInspection = z.infer<typeof UnitInspection>;

/** The activations when a token was predicted, that is, after the previous token was read. */
export const TokenInspection = z.object({
  layers: z.array(LayerInspection),
  units: z.array(UnitInspection).describe('The units that were requested'),
  alternatives: z.array(z.object({ token: z.string(), surprisal: z.number() })).describe('Most likely first'),
});
export type TokenInspection = z.infer<typeof TokenInspection>;

/** A token and its surprisal. */
export const ScoredToken = z.object({
  token: z.string(),
  start: z.int().describe('Offset of its first byte'),
  end: z.int().describe('Offset after its last byte'),
  surprisal: z.number().describe('-ln p(token | preceding tokens), in nats'),
  unknown: z.string().optional().describe('The word, if it is not in the vocabulary: the token is <unk>'),
  spelling: z
    .number()
    .optional()
    .describe(
      'Cost of spelling the unknown word, in nats, under an order-0 byte model that learns from the preceding unknown words of the text. Included in bitsPerByte, but not in the perplexity, which is per token of the vocabulary',
    ),
  inside: TokenInspection.optional().describe('Present with inspect'),
});
export type ScoredToken = z.infer<typeof ScoredToken>;

const used = {
  cache: CacheOptions.optional().describe('The values that were used; after a search, those that it chose'),
  dynamic: DynamicOptions.optional().describe(
    'The values that were used; after a search, those that it chose',
  ),
};

export const ScoreResult = z
  .object({
    perplexity: Perplexity,
    bitsPerByte: z.number().describe(BITS_PER_BYTE),
    unknownWords: z
      .array(z.string())
      .describe('Distinct words that are not in the vocabulary; spelling them is charged for'),
    tokens: z.array(ScoredToken),
    ...used,
  })
  .meta({
    id: 'ScoreResult',
    examples: [
      {
        perplexity: 61.2,
        bitsPerByte: 1.079,
        unknownWords: [],
        tokens: [
          { token: 'the', start: 0, end: 3, surprisal: 2.713 },
          { token: 'company', start: 4, end: 11, surprisal: 5.516 },
        ],
      },
    ],
  });
export type ScoreResult = z.infer<typeof ScoreResult>;

/** The results of several texts, in their order. */
export const ScoreList = z
  .object({ items: z.array(ScoreResult) })
  .meta({ id: 'ScoreList', examples: [{ items: [exampleOf(ScoreResult), exampleOf(ScoreResult)] }] });
export type ScoreList = z.infer<typeof ScoreList>;

/** Options for scoring a streamed text of any length. */
export const ScoreStreamRequest = z.strictObject({
  tokens: z.boolean().default(true).describe('Send every token; otherwise only the summary'),
  ...adaptation,
});
export type ScoreStreamRequest = z.infer<typeof ScoreStreamRequest>;

/** The summary of a streamed text; its size does not depend on the length of the text. */
export const ScoreSummary = z.object({
  perplexity: Perplexity,
  loss: z.number().describe('In nats per token'),
  bitsPerByte: z.number().describe(BITS_PER_BYTE),
  tokens: z.int(),
  unknownTokens: z.int().describe('Tokens that are not in the vocabulary; spelling them is charged for'),
  bytes: z.int(),
  ...used,
});
export type ScoreSummary = z.infer<typeof ScoreSummary>;

/** The next tokens of a streamed text. */
export const ScorePart = z.object({
  tokens: z.array(ScoredToken),
  wantsMore: z.boolean().describe('Whether the next piece of the text can be sent'),
});
export type ScorePart = z.infer<typeof ScorePart>;

export const RankRequest = z.strictObject({
  prompt: z.string().max(1_000_000).default('').describe('The text before each alternative'),
  alternatives: z
    .array(z.string().min(1).max(100_000))
    .min(1)
    .max(1000)
    .describe('Possible continuations of the prompt, including leading white space'),
  by: z
    .enum(['total', 'token', 'byte'])
    .default('total')
    .describe('Ranking criterion: ln p of the whole alternative, or its mean per token or per byte'),
});
export type RankRequest = z.infer<typeof RankRequest>;

export const RankResult = z
  .object({
    items: z
      .array(
        z.object({
          index: z.int().describe('Index in the request, from 0'),
          alternative: z.string(),
          logprob: z
            .number()
            .describe(
              'ln p(alternative | prompt), the sum over its tokens and over the spelling of its unknown words',
            ),
          unknownWords: z
            .array(z.string())
            .describe('Distinct words of the alternative that are not in the vocabulary'),
          tokens: z.int(),
          perplexity: Perplexity.describe(
            'Per token, including the spelling of unknown words; null = larger than a double can hold',
          ),
          share: z.number().describe('Its share of the total probability of all alternatives'),
        }),
      )
      .describe('Most likely first'),
  })
  .meta({
    id: 'RankResult',
    examples: [
      {
        items: [
          {
            index: 0,
            alternative: ' company',
            logprob: -3.912,
            unknownWords: [],
            tokens: 1,
            perplexity: 50,
            share: 0.8,
          },
          {
            index: 1,
            alternative: ' cat',
            logprob: -5.298,
            unknownWords: [],
            tokens: 1,
            perplexity: 199.9,
            share: 0.2,
          },
        ],
      },
    ],
  });
export type RankResult = z.infer<typeof RankResult>;
