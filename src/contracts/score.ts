/** How surprising a text is to a model, token by token. */
import { z } from 'zod';
import { CacheOptions, DynamicOptions } from './evaluation.js';
import { exampleOf } from './example-of.js';
import { Perplexity } from './figures.js';

/** Tokens of a text that is looked into: each has dozens of numbers. */
export const MAX_INSPECTED = 2000;

const adaptation = { cache: CacheOptions.optional(), dynamic: DynamicOptions.optional() };
const text = z.string().min(1).max(10_000_000);

const ScoreFields = z.strictObject({
  text: text.optional().describe('One text; or `texts`'),
  texts: z.array(text).min(1).max(1000).optional().describe('Many texts, each read by itself'),
  inspect: z
    .boolean()
    .default(false)
    .describe(
      `Show what goes on inside at each token: gates, cells and hidden values of each layer, and what was likelier; at most ${MAX_INSPECTED} tokens`,
    ),
  alternatives: z.int().min(0).max(100).default(5).describe('Likeliest tokens shown at each, with inspect'),
  units: z
    .array(z.strictObject({ layer: z.int().min(0), unit: z.int().min(0) }))
    .max(64)
    .default([])
    .describe('Units whose values are shown in full, with inspect; layers and units count from 0'),
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
      'Units that are switched off, with inspect: no layer and no later step sees their hidden value. Compare the surprisal with that of the whole model',
    ),
  ...adaptation,
});

/** @param fields of a request, with more of one's own */
export function scoreRequestOf<Shape extends z.ZodRawShape>(fields: Shape) {
  return ScoreFields.extend(fields).superRefine((request, context) => {
    const { text: one, texts, inspect, cache, dynamic } = request as z.infer<typeof ScoreFields>;
    if ((one === undefined) === (texts === undefined))
      context.addIssue({
        code: 'custom',
        path: ['text'],
        message: 'either text or texts is needed, not both',
      });
    if (inspect && (cache || dynamic))
      context.addIssue({
        code: 'custom',
        path: ['inspect'],
        message: 'it shows the model as it was trained; leave cache and dynamic out',
      });
  });
}
export const ScoreRequest = scoreRequestOf({});
export type ScoreRequest = z.infer<typeof ScoreRequest>;

const BITS_PER_BYTE =
  'Comparable between tokenizers: what <unk> hides is charged for, as if the model spelled it';

/** The values of one kind over all units of a layer. */
export const ActivationSummary = z.object({ mean: z.number(), min: z.number(), max: z.number() });
export type ActivationSummary = z.infer<typeof ActivationSummary>;

/** What a recurrent layer did at one token. */
export const LayerInspection = z
  .record(z.string(), ActivationSummary)
  .describe('By the channels of the cell; of an LSTM: forget, candidate, input, output, cell and hidden');
export type LayerInspection = z.infer<typeof LayerInspection>;

/** One unit at one token. */
export const UnitInspection = z
  .object({ layer: z.int(), unit: z.int() })
  .catchall(z.number())
  .describe('Its value in each channel of the cell');
export type UnitInspection = z.infer<typeof UnitInspection>;

/** What went on inside when a token was predicted: after the token before it was read. */
export const TokenInspection = z.object({
  layers: z.array(LayerInspection),
  units: z.array(UnitInspection).describe('Those that were asked for'),
  alternatives: z
    .array(z.object({ token: z.string(), surprisal: z.number() }))
    .describe('The likeliest first'),
});
export type TokenInspection = z.infer<typeof TokenInspection>;

/** A token, and how surprising it was. */
export const ScoredToken = z.object({
  token: z.string(),
  start: z.int().describe('First byte'),
  end: z.int().describe('Byte after the last'),
  surprisal: z.number().describe('-ln p(token | what came before), in nats'),
  unknown: z
    .string()
    .optional()
    .describe('The word, where the vocabulary does not have it: the token is <unk>'),
  spelling: z
    .number()
    .optional()
    .describe(
      'What it costs to spell the unknown word, in nats: an order-0 model of bytes that learns from the unknown words before it in the text. It counts in bitsPerByte, not in the perplexity, which is per token of the vocabulary',
    ),
  inside: TokenInspection.optional().describe('With inspect'),
});
export type ScoredToken = z.infer<typeof ScoredToken>;

const used = {
  cache: CacheOptions.optional().describe('What was used; after a search, what it chose'),
  dynamic: DynamicOptions.optional().describe('What was used; after a search, what it chose'),
};

export const ScoreResult = z
  .object({
    perplexity: Perplexity,
    bitsPerByte: z.number().describe(BITS_PER_BYTE),
    unknownWords: z
      .array(z.string())
      .describe('Words that the vocabulary does not have, each once; spelling them is charged for'),
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

/** Of several texts, in their order. */
export const ScoreList = z
  .object({ items: z.array(ScoreResult) })
  .meta({ id: 'ScoreList', examples: [{ items: [exampleOf(ScoreResult), exampleOf(ScoreResult)] }] });
export type ScoreList = z.infer<typeof ScoreList>;

/** A text that comes piece by piece, of any length. */
export const ScoreStreamRequest = z.strictObject({
  tokens: z.boolean().default(true).describe('Tell each token; else the summary alone'),
  ...adaptation,
});
export type ScoreStreamRequest = z.infer<typeof ScoreStreamRequest>;

/** What a text was like, in memory that does not grow with it. */
export const ScoreSummary = z.object({
  perplexity: Perplexity,
  loss: z.number().describe('Nats per token'),
  bitsPerByte: z.number().describe(BITS_PER_BYTE),
  tokens: z.int(),
  unknownTokens: z.int().describe('Those that the vocabulary does not have; spelling them is charged for'),
  bytes: z.int(),
  ...used,
});
export type ScoreSummary = z.infer<typeof ScoreSummary>;

/** The next tokens of a text that comes piece by piece. */
export const ScorePart = z.object({
  tokens: z.array(ScoredToken),
  wantsMore: z.boolean().describe('The next piece of the text may come'),
});
export type ScorePart = z.infer<typeof ScorePart>;

export const RankRequest = z.strictObject({
  prompt: z.string().max(1_000_000).default('').describe('What comes before each alternative'),
  alternatives: z
    .array(z.string().min(1).max(100_000))
    .min(1)
    .max(1000)
    .describe('What may follow the prompt, with the white space that belongs between'),
  by: z
    .enum(['total', 'token', 'byte'])
    .default('total')
    .describe('What decides: ln p of the whole alternative, or its mean per token or per byte'),
});
export type RankRequest = z.infer<typeof RankRequest>;

export const RankResult = z
  .object({
    items: z
      .array(
        z.object({
          index: z.int().describe('Its place in the request, from 0'),
          alternative: z.string(),
          logprob: z
            .number()
            .describe(
              'ln p(alternative | prompt), the sum over its tokens and over the spelling of its unknown words',
            ),
          unknownWords: z
            .array(z.string())
            .describe('Words of the alternative that the vocabulary does not have, each once'),
          tokens: z.int(),
          perplexity: Perplexity.describe(
            'Per token, the spelling of unknown words with it; null = beyond what a double holds',
          ),
          share: z.number().describe('Its part of the probability of all alternatives together'),
        }),
      )
      .describe('The likeliest first'),
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
