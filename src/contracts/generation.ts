import { z } from 'zod';
import { CacheOptions, DynamicOptions } from './evaluation.js';

/** Token ids from which a decoder knows how to go on. */
export const MOST_TAIL = 32;

/** How text is drawn from a model. */
export const GenerationRequest = z.strictObject({
  prompt: z
    .string()
    .max(1_000_000)
    .default('')
    .describe('Text to go on from; empty = from the start of a line'),
  maxTokens: z.int().min(1).max(100_000).default(100).describe('Most tokens to write'),
  temperature: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe('Divides the logits: below 1 safer, above 1 bolder; 0 = always the likeliest token'),
  topK: z.int().min(0).max(1_000_000).default(0).describe('Draw among the K likeliest tokens; 0 = all'),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('Draw among the likeliest tokens that together have this probability'),
  minP: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Drop tokens less likely than this fraction of the likeliest'),
  repetitionPenalty: z
    .number()
    .gt(0)
    .max(10)
    .default(1)
    .describe('Above 1: tokens seen already become less likely (Keskar et al. 2019)'),
  presencePenalty: z
    .number()
    .min(-100)
    .max(100)
    .default(0)
    .describe('Taken from the logit of every token that was written already'),
  frequencyPenalty: z
    .number()
    .min(-100)
    .max(100)
    .default(0)
    .describe('Taken from the logit of a token for each time that it was written already'),
  stop: z
    .array(z.string().min(1).max(200))
    .max(16)
    .default([])
    .describe('Strings at which the text ends; not part of it'),
  seed: z.int().min(0).max(0xffff_ffff).optional().describe('Same seed, same text; drawn when left out'),
  suppressUnknown: z.boolean().default(true).describe('Never write the unknown word <unk>'),
});
export type GenerationRequest = z.infer<typeof GenerationRequest>;

/** Where a text that was begun goes on: what the model remembers of it, whatever its length. */
export const TextPoint = z.strictObject({
  state: z
    .base64()
    .max(16_000_000)
    .nullable()
    .describe('Hidden and cell vector of each layer, float32, little-endian; null = nothing was read yet'),
  tail: z
    .array(z.int().min(0))
    .min(1)
    .max(MOST_TAIL)
    .describe('The last token ids; the very last one is still to be read'),
});
export type TextPoint = z.infer<typeof TextPoint>;

/** What a task may ask for beyond what every client may. */
export const GenerationTaskRequest = GenerationRequest.extend({
  maxTokens: z.int().min(0).max(100_000).default(100).describe('Most tokens to write; 0 = only read'),
  from: TextPoint.optional().describe('Where to go on; the prompt is read first'),
  keepsPoint: z.boolean().optional().describe('Say where the text can go on'),
  promptIds: z.array(z.int().min(0)).optional().describe('Token ids to go on from, instead of the prompt'),
  logprobs: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe('Log probabilities of each token, and of so many others'),
  echo: z.boolean().optional().describe('The first piece of a stream is the prompt'),
  logitBias: z.record(z.string(), z.number()).optional().describe('Added to the logits of these token ids'),
});
export type GenerationTaskRequest = z.infer<typeof GenerationTaskRequest>;

export const TokenLogprob = z.object({
  token: z.string().describe('As it reads in the text'),
  start: z.int().describe('Where it begins in the text, in UTF-16 units'),
  logprob: z.number().describe('ln p, before penalties and temperature'),
  top: z.record(z.string(), z.number()).describe('The likeliest tokens by their names in the vocabulary'),
});
export type TokenLogprob = z.infer<typeof TokenLogprob>;

/** A piece of a text while it is written. All pieces, joined, are the text of the result. */
export const GenerationPart = z.object({
  index: z.int().optional().describe('Which of several texts; given where n is above 1'),
  text: z.string(),
  tokens: z.int().describe('Tokens written so far'),
  logprobs: z.array(TokenLogprob).optional(),
});
export type GenerationPart = z.infer<typeof GenerationPart>;

export const FinishReason = z
  .enum(['length', 'stop', 'cancelled', 'timeout'])
  .describe(
    'length: maxTokens were written; stop: a stop string came; cancelled: the client or the server left; timeout: it took longer than GATELM_GENERATION_TIMEOUT_MS',
  );
export type FinishReason = z.infer<typeof FinishReason>;

export const GenerationResult = z.object({
  experimentId: z.string(),
  prompt: z.string(),
  promptTokens: z.int().describe('Tokens of the prompt'),
  text: z.string(),
  tokens: z.int(),
  finishReason: FinishReason,
  seed: z.int(),
  unknownWords: z.array(z.string()).describe('Words of the prompt that the vocabulary does not have'),
  logprobs: z.array(TokenLogprob).optional().describe('When they were asked for'),
  point: TextPoint.optional().describe('Where it can go on, when that was asked for'),
});
export type GenerationResult = z.infer<typeof GenerationResult>;

/** One of several texts of a prompt. */
export const GenerationChoice = GenerationResult.pick({
  text: true,
  tokens: true,
  finishReason: true,
  seed: true,
  logprobs: true,
});
export type GenerationChoice = z.infer<typeof GenerationChoice>;

/** The first text, and all of them where several were asked for. */
export const GenerationAnswer = GenerationResult.omit({ point: true }).extend({
  choices: z.array(GenerationChoice).optional().describe('All texts, where n is above 1'),
});
export type GenerationAnswer = z.infer<typeof GenerationAnswer>;

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
  });
export type EvaluationRequest = z.infer<typeof EvaluationRequest>;

export const EvaluationResult = z.object({
  perplexity: z.number(),
  loss: z.number().describe('Nats per token'),
  tokens: z.int(),
  bitsPerByte: z.number().nullable(),
  cache: CacheOptions.optional().describe('What was used; after a search, what it chose'),
  dynamic: DynamicOptions.optional().describe('What was used; after a search, what it chose'),
});
export type EvaluationResult = z.infer<typeof EvaluationResult>;

/** Tokens of a text that is looked into: each has dozens of numbers. */
export const MOST_INSPECTED = 2000;

export const ScoreRequest = z.strictObject({
  text: z.string().min(1).max(10_000_000),
  inspect: z
    .boolean()
    .default(false)
    .describe(
      `Show what goes on inside at each token: gates, cells and hidden values of each layer, and what was likelier; at most ${MOST_INSPECTED} tokens`,
    ),
  alternatives: z.int().min(0).max(100).default(5).describe('Likeliest tokens shown at each, with inspect'),
  units: z
    .array(z.strictObject({ layer: z.int().min(0), unit: z.int().min(0) }))
    .max(64)
    .default([])
    .describe('Units whose values are shown in full, with inspect; layers and units count from 0'),
});
export type ScoreRequest = z.infer<typeof ScoreRequest>;

/** The values of one kind over all units of a layer. */
export const ActivationSummary = z.object({ mean: z.number(), min: z.number(), max: z.number() });
export type ActivationSummary = z.infer<typeof ActivationSummary>;

const ofEachPart = <Value extends z.ZodType>(value: Value) => ({
  forget: value,
  candidate: value,
  input: value,
  output: value,
  cell: value,
  hidden: value,
});

/** What an LSTM layer did at one token. */
export const LayerInspection = z.object(ofEachPart(ActivationSummary));
export type LayerInspection = z.infer<typeof LayerInspection>;

/** One unit at one token. */
export const UnitInspection = z.object({ layer: z.int(), unit: z.int(), ...ofEachPart(z.number()) });
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

export const ScoreResult = z.object({
  perplexity: z.number(),
  bitsPerByte: z.number(),
  tokens: z.array(
    z.object({
      token: z.string(),
      start: z.int().describe('First byte'),
      end: z.int().describe('Byte after the last'),
      surprisal: z.number().describe('-ln p(token | what came before), in nats'),
      inside: TokenInspection.optional().describe('With inspect'),
    }),
  ),
});
export type ScoreResult = z.infer<typeof ScoreResult>;
