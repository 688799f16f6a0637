/**
 * The shapes of OpenAI's legacy completions endpoint, written down from its reference
 * (https://platform.openai.com/docs/api-reference/completions; its schemas CreateCompletionRequest, CreateCompletionResponse,
 * CompletionUsage and Error): names of fields, types, ranges and what may be null. No field beside them is let through.
 */
import { z } from 'zod';

const ids = z.array(z.int()).min(1);

export const LegacyRequest = z.strictObject({
  model: z.string(),
  prompt: z.union([z.string(), z.array(z.string()), ids, z.array(ids).min(1)]).nullable(),
  best_of: z.int().min(0).max(20).nullish(),
  echo: z.boolean().nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: z.record(z.string(), z.int()).nullish(),
  logprobs: z.int().min(0).max(5).nullish(),
  max_tokens: z.int().min(0).nullish(),
  n: z.int().min(1).max(128).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  seed: z.number().refine(Number.isInteger).nullish(), // of 64 bits
  stop: z.union([z.string(), z.array(z.string()).min(1).max(4)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .nullish(),
  suffix: z.string().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  user: z.string().optional(),
});
export type LegacyRequest = z.infer<typeof LegacyRequest>;

const LegacyLogprobs = z.strictObject({
  text_offset: z.array(z.int().min(0)),
  token_logprobs: z.array(z.number().max(0).nullable()), // null for the first token of an echoed prompt
  tokens: z.array(z.string()),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()),
});

const LegacyUsage = z.strictObject({
  completion_tokens: z.int().min(0),
  prompt_tokens: z.int().min(0),
  total_tokens: z.int().min(0),
});

const choice = {
  index: z.int().min(0),
  logprobs: LegacyLogprobs.nullable(),
  text: z.string(),
};
const finishReason = z.enum(['stop', 'length', 'content_filter']);
const head = {
  id: z.string().min(1),
  created: z.int(),
  model: z.string(),
  object: z.literal('text_completion'),
  system_fingerprint: z.string().optional(),
};

export const LegacyCompletion = z.strictObject({
  ...head,
  choices: z.array(z.strictObject({ ...choice, finish_reason: finishReason })),
  usage: LegacyUsage.optional(),
});

/** The same object for each chunk; the reason to end comes with the last chunk of a text, `usage` when it was asked for. */
export const LegacyChunk = z.strictObject({
  ...head,
  choices: z.array(z.strictObject({ ...choice, finish_reason: finishReason.nullable() })),
  usage: LegacyUsage.nullish(),
});

export const LegacyError = z.strictObject({
  error: z.strictObject({
    code: z.string().nullable(),
    message: z.string().min(1),
    param: z.string().nullable(),
    type: z.string().min(1),
  }),
});
