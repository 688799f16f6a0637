/**
 * OpenAI's completions API, as its clients use it; names and defaults are OpenAI's.
 * Reference: https://platform.openai.com/docs/api-reference/completions
 */
import { z } from 'zod';
import { exampleOf } from './example-of.js';
import { EXAMPLE_EXPERIMENT_ID } from './example-values.js';

/** Maximum number of texts in one request: n for each of its prompts. */
export const MAX_CHOICES = 128;

const ids = z.array(z.int().min(0)).min(1).max(1_000_000);
const prompt = z.string().max(1_000_000);
const stop = z.string().min(1).max(200);

export const CompletionRequest = z
  .strictObject({
    model: z.string().min(1).max(200).describe('Id or name of an experiment'),
    prompt: z
      .union([prompt, z.array(prompt).min(1).max(MAX_CHOICES), ids, z.array(ids).min(1).max(MAX_CHOICES)])
      .nullish()
      .describe('Text or token ids to continue, or an array of them; default: from the start of a line'),
    max_tokens: z
      .int()
      .min(0)
      .max(100_000)
      .nullish()
      .describe('Maximum number of tokens to generate; default 16'),
    temperature: z.number().min(0).max(100).nullish().describe('Default 1; 0 = greedy'),
    top_p: z.number().min(0).max(1).nullish().describe('Default 1; 0 = only the most likely token'),
    n: z.int().min(1).max(MAX_CHOICES).nullish().describe('Number of texts for each prompt; default 1'),
    best_of: z.int().min(1).nullish().describe('Must equal n'),
    stream: z.boolean().nullish().describe('Stream the text while it is generated, as server-sent events'),
    stream_options: z
      .strictObject({
        include_usage: z.boolean().nullish().describe('Send a last chunk with the token counts'),
        include_obfuscation: z.boolean().nullish().describe('Accepted and ignored'),
      })
      .nullish(),
    logprobs: z
      .int()
      .min(0)
      .max(5)
      .nullish()
      .describe('Return the log probability of each token, and of this many of the most likely tokens'),
    echo: z.boolean().nullish().describe('Start the text with the prompt'),
    stop: z
      .union([stop, z.array(stop).max(16)])
      .nullish()
      .describe('Strings at which a text ends'),
    seed: z
      .number()
      .min(-(2 ** 63))
      .max(2 ** 63)
      .refine(Number.isInteger, 'must be an integer')
      .nullish()
      .describe('The same seed gives the same text'),
    presence_penalty: z.number().min(-2).max(2).nullish(),
    frequency_penalty: z.number().min(-2).max(2).nullish(),
    logit_bias: z
      .record(z.string().regex(/^\d{1,9}$/, 'must be a token id'), z.number().min(-100).max(100))
      .nullish()
      .describe('Added to the logits, by token id'),
    suffix: z.string().nullish().describe('Not supported: the model reads forwards only'),
    user: z.string().max(1000).nullish().describe('Accepted and ignored'),
    top_k: z.int().min(0).max(1_000_000).nullish().describe('Extension of OpenAI’s API: 0 = all tokens'),
    min_p: z.number().min(0).max(1).nullish().describe('Extension of OpenAI’s API'),
    repetition_penalty: z.number().gt(0).max(10).nullish().describe('Extension of OpenAI’s API'),
  })
  .superRefine(({ suffix, best_of: bestOf, n, prompt: prompts }, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (suffix) refuse('suffix', 'is not supported: the model reads forwards only; leave it out');
    if (bestOf != null && bestOf !== (n ?? 1)) refuse('best_of', 'is not supported beyond n; leave it out');
    const count = Array.isArray(prompts) && typeof prompts[0] !== 'number' ? prompts.length : 1;
    if (count * (n ?? 1) > MAX_CHOICES) refuse('n', `asks for more than ${MAX_CHOICES} texts in all`);
  })
  .meta({ examples: [{ model: 'my experiment', prompt: 'the', max_tokens: 50 }] });
export type CompletionRequest = z.infer<typeof CompletionRequest>;

const Logprobs = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()).describe('null for the first token of an echoed prompt'),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()),
  text_offset: z.array(z.int()),
});

export const CompletionChoice = z.object({
  text: z.string(),
  index: z.int(),
  logprobs: Logprobs.nullable(),
  finish_reason: z.enum(['stop', 'length']).nullable().describe('null in all chunks of a text but the last'),
});
export type CompletionChoice = z.infer<typeof CompletionChoice>;

export const CompletionUsage = z.object({
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
});
export type CompletionUsage = z.infer<typeof CompletionUsage>;

/** A completion, or a chunk of one. */
export const Completion = z
  .object({
    id: z.string(),
    object: z.literal('text_completion'),
    created: z.int().describe('Unix time, in seconds'),
    model: z.string().describe('Id of the experiment'),
    choices: z.array(CompletionChoice),
    usage: CompletionUsage.nullish(),
  })
  .meta({
    id: 'Completion',
    examples: [
      {
        id: 'cmpl-6667f4d5de3ce0cfceff9dbb',
        object: 'text_completion',
        created: 1_795_622_585,
        model: EXAMPLE_EXPERIMENT_ID,
        choices: [{ text: ' company said', index: 0, logprobs: null, finish_reason: 'length' }],
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      },
    ],
  });
export type Completion = z.infer<typeof Completion>;

export const OpenAiModel = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.int().describe('Unix time, in seconds'),
    owned_by: z.string(),
    name: z
      .string()
      .describe('Extension of OpenAI’s API: the name of the experiment, which may be used instead of its id'),
  })
  .meta({
    id: 'OpenAiModel',
    examples: [
      {
        id: EXAMPLE_EXPERIMENT_ID,
        object: 'model',
        created: 1_795_622_581,
        owned_by: 'gatelm',
        name: 'rnnlm on ptb',
      },
    ],
  });
export type OpenAiModel = z.infer<typeof OpenAiModel>;
export const OpenAiModelList = z
  .object({ object: z.literal('list'), data: z.array(OpenAiModel) })
  .meta({ id: 'OpenAiModelList', examples: [{ object: 'list', data: [exampleOf(OpenAiModel)] }] });
export const OpenAiModelParams = z.strictObject({
  model: z
    .string()
    .min(1)
    .max(200)
    .describe('Id or name of an experiment')
    .meta({ examples: [EXAMPLE_EXPERIMENT_ID] }),
});

/** The error response of all routes under /v1. */
export const OpenAiError = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .meta({
    id: 'OpenAiError',
    examples: [
      {
        error: {
          message: 'There is no experiment "none"',
          type: 'invalid_request_error',
          param: 'model',
          code: 'model_not_found',
        },
      },
    ],
  });
export type OpenAiError = z.infer<typeof OpenAiError>;
