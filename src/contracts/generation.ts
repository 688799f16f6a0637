import { z } from 'zod';
import { EXAMPLE_EXPERIMENT_ID } from './example-values.js';

/** Token ids from which a decoder knows how to go on. */
export const MAX_TAIL = 32;

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
    .max(MAX_TAIL)
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
  logprob: z
    .number()
    .nullable()
    .describe(
      'ln p, before penalties and temperature; null for the first token of all, which nothing predicts',
    ),
  top: z
    .record(z.string(), z.number())
    .nullable()
    .describe('The likeliest tokens as they would read at this place, and the token itself'),
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
}).extend({ logprob: z.number().optional().describe('ln p of the whole text, where it was searched for') });
export type GenerationChoice = z.infer<typeof GenerationChoice>;

/** The first text, and all of them where several were asked for. */
export const GenerationAnswer = GenerationResult.omit({ point: true })
  .extend({
    choices: z.array(GenerationChoice).optional().describe('All texts, where n or beams is above 1'),
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

/** How likely texts are searched for, instead of drawn. */
export const BeamSearchRequest = GenerationRequest.pick({
  prompt: true,
  maxTokens: true,
  stop: true,
  suppressUnknown: true,
}).extend({
  n: z.int().min(1).max(64).default(1).describe('Texts to write'),
  beams: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe(
      'Above 1: nothing is drawn; the likeliest texts are searched for with so many beams, and temperature, topK, topP, minP and seed are not read',
    ),
  lengthPenalty: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .describe('With beams: texts are compared by ln p / tokens^lengthPenalty; 0 favours short ones'),
});
export type BeamSearchRequest = z.infer<typeof BeamSearchRequest>;

export const BeamSearchResult = GenerationResult.pick({ promptTokens: true, unknownWords: true }).extend({
  choices: z
    .array(
      GenerationResult.pick({ text: true, tokens: true, finishReason: true }).extend({ logprob: z.number() }),
    )
    .describe('The best first'),
});
export type BeamSearchResult = z.infer<typeof BeamSearchResult>;
