import { z } from 'zod';
import { EXAMPLE_EXPERIMENT_ID } from './example-values.js';

/** Maximum number of trailing token ids that a decoder needs to continue a text. */
export const MAX_TAIL = 32;

/** How text is sampled from a model. */
export const GenerationRequest = z.strictObject({
  prompt: z
    .string()
    .max(1_000_000)
    .default('')
    .describe('Text to continue; empty = from the start of a line'),
  maxTokens: z.int().min(1).max(100_000).default(100).describe('Maximum number of tokens to generate'),
  temperature: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe(
      'Divides the logits: below 1 more conservative, above 1 more diverse; 0 = greedy, always the most likely token',
    ),
  topK: z.int().min(0).max(1_000_000).default(0).describe('Sample from the K most likely tokens; 0 = all'),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('Sample from the most likely tokens whose probabilities add up to this (nucleus sampling)'),
  minP: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Exclude tokens whose probability is below this fraction of the highest'),
  repetitionPenalty: z
    .number()
    .gt(0)
    .max(10)
    .default(1)
    .describe('Above 1: tokens that have already occurred become less likely (Keskar et al. 2019)'),
  presencePenalty: z
    .number()
    .min(-100)
    .max(100)
    .default(0)
    .describe('Subtracted from the logit of every token that has been generated already'),
  frequencyPenalty: z
    .number()
    .min(-100)
    .max(100)
    .default(0)
    .describe('Subtracted from the logit of a token for each time that it has been generated'),
  stop: z
    .array(z.string().min(1).max(200))
    .max(16)
    .default([])
    .describe('Strings at which the text ends; they are not part of it'),
  seed: z
    .int()
    .min(0)
    .max(0xffff_ffff)
    .optional()
    .describe('The same seed gives the same text; random if omitted'),
  suppressUnknown: z.boolean().default(true).describe('Never generate the unknown word <unk>'),
});
export type GenerationRequest = z.infer<typeof GenerationRequest>;

/** The point from which a text can continue: the state of the model, whose size does not depend on the length. */
export const TextPoint = z.strictObject({
  state: z
    .base64()
    .min(1)
    .max(16_000_000)
    .nullable()
    .describe(
      'Hidden and cell vectors of each layer, float32, little-endian; null = nothing has been read yet',
    ),
  tail: z
    .array(z.int().min(0))
    .min(1)
    .max(MAX_TAIL)
    .describe('The last token ids; the model has not read the last one yet'),
  endsWithSpace: z
    .boolean()
    .default(false)
    .describe('The text ends with the space that belongs before its next word'),
});
export type TextPoint = z.infer<typeof TextPoint>;

/** A generation request inside the server, with options that clients do not have. */
export const GenerationTaskRequest = GenerationRequest.extend({
  maxTokens: z
    .int()
    .min(0)
    .max(100_000)
    .default(100)
    .describe('Maximum number of tokens to generate; 0 = only read the prompt'),
  from: TextPoint.optional().describe('The point to continue from; the prompt is read first'),
  keepsPoint: z.boolean().optional().describe('Return the point from which the text can continue'),
  promptIds: z.array(z.int().min(0)).optional().describe('Token ids to continue, instead of the prompt'),
  logprobs: z
    .int()
    .min(0)
    .max(20)
    .optional()
    .describe('Return the log probability of each token, and of this many of the most likely tokens'),
  echo: z.boolean().optional().describe('Whether the first piece of a stream is the prompt'),
  logitBias: z.record(z.string(), z.number()).optional().describe('Added to the logits of these token ids'),
});
export type GenerationTaskRequest = z.infer<typeof GenerationTaskRequest>;

export const TokenLogprob = z.object({
  token: z.string().describe('As it appears in the text'),
  start: z.int().describe('Offset in the text, in UTF-16 code units'),
  logprob: z
    .number()
    .nullable()
    .describe(
      'Natural log of the probability, before penalties and temperature; null for the first token of a text, which has no context',
    ),
  top: z
    .record(z.string(), z.number())
    .nullable()
    .describe(
      'Log probabilities of the most likely tokens, as they would appear here, and of the token itself',
    ),
});
export type TokenLogprob = z.infer<typeof TokenLogprob>;

/** A piece of a text while it is generated. The concatenation of all pieces is the text of the result. */
export const GenerationPart = z.object({
  index: z.int().optional().describe('Index of the text; present if n is above 1'),
  text: z.string(),
  tokens: z.int().describe('Tokens generated so far'),
  logprobs: z.array(TokenLogprob).optional(),
});
export type GenerationPart = z.infer<typeof GenerationPart>;

export const FinishReason = z
  .enum(['length', 'stop', 'cancelled', 'timeout'])
  .describe(
    'length: maxTokens were generated; stop: a stop string was reached; cancelled: the client disconnected or the server stopped; timeout: it took longer than GATELM_GENERATION_TIMEOUT_MS',
  );
export type FinishReason = z.infer<typeof FinishReason>;

export const GenerationResult = z.object({
  experimentId: z.string(),
  prompt: z.string(),
  promptTokens: z.int().describe('Number of tokens in the prompt'),
  text: z.string(),
  tokens: z.int(),
  finishReason: FinishReason,
  seed: z.int(),
  unknownWords: z.array(z.string()).describe('Words of the prompt that are not in the vocabulary'),
  logprobs: z.array(TokenLogprob).optional().describe('Present if requested'),
  point: TextPoint.optional().describe('The point from which the text can continue; present if requested'),
});
export type GenerationResult = z.infer<typeof GenerationResult>;

/** One of several texts for the same prompt. */
export const GenerationChoice = GenerationResult.pick({
  text: true,
  tokens: true,
  finishReason: true,
  seed: true,
  logprobs: true,
}).extend({
  logprob: z
    .number()
    .optional()
    .describe('Natural log of the probability of the whole text; present for beam search'),
});
export type GenerationChoice = z.infer<typeof GenerationChoice>;

/** The first text, and all texts if several were requested. */
export const GenerationAnswer = GenerationResult.omit({ point: true })
  .extend({
    choices: z.array(GenerationChoice).optional().describe('All texts; present if n or beams is above 1'),
  })
  .meta({
    id: 'GenerationAnswer',
    examples: [
      {
        experimentId: EXAMPLE_EXPERIMENT_ID,
        prompt: 'the',
        promptTokens: 1,
        text: ' company said it expects',
        tokens: 4,
        finishReason: 'length',
        seed: 1,
        unknownWords: [],
      },
    ],
  });
export type GenerationAnswer = z.infer<typeof GenerationAnswer>;

/** Beam search: a search for likely texts instead of sampling. */
export const BeamSearchRequest = GenerationRequest.pick({
  prompt: true,
  maxTokens: true,
  stop: true,
  suppressUnknown: true,
}).extend({
  n: z.int().min(1).max(64).default(1).describe('Number of texts'),
  beams: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe(
      'Above 1: beam search of this width instead of sampling; temperature, topK, topP, minP and seed are ignored',
    ),
  lengthPenalty: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .describe('For beam search: texts are ranked by ln p / tokens^lengthPenalty; 0 favours short texts'),
});
export type BeamSearchRequest = z.infer<typeof BeamSearchRequest>;

export const BeamSearchResult = GenerationResult.pick({ promptTokens: true, unknownWords: true }).extend({
  choices: z
    .array(
      GenerationResult.pick({ text: true, tokens: true, finishReason: true }).extend({ logprob: z.number() }),
    )
    .describe('Best first'),
});
export type BeamSearchResult = z.infer<typeof BeamSearchResult>;
