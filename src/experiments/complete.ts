import { randomBytes } from 'node:crypto';
import { type GenerationResult, GenerationTaskRequest, type TokenLogprob } from '../contracts/generation.js';
import type {
  Completion,
  CompletionChoice,
  CompletionRequest,
  CompletionUsage,
  OpenAiModel,
} from '../contracts/openai.js';
import type { Store } from '../store/store.js';
import { findByIdOrName } from './find-experiment.js';
import { allOrNone, generate, type ModelDependencies, modelOf, referToModel } from './use-model.js';

export interface CompleteOptions {
  /** Called with each chunk of a stream, in order. */
  readonly onChunk?: (chunk: Completion) => void;
  /** Ends the texts at their next token. */
  readonly signal?: AbortSignal;
}

type Prompt = string | readonly number[];

/**
 * Completions for OpenAI's API: several prompts, each several times, generated in parallel.
 * @throws experiment-not-found, experiment-untrained, and what the executor throws
 */
export async function complete(
  dependencies: ModelDependencies,
  request: CompletionRequest,
  { onChunk, signal }: CompleteOptions = {},
): Promise<Completion> {
  const model = modelOf(dependencies, request.model);
  const head = {
    id: `cmpl-${randomBytes(12).toString('hex')}`,
    object: 'text_completion',
    created: Math.floor(Date.now() / 1000),
    model: model.experimentId,
  } as const;
  const wantsUsage = request.stream_options?.include_usage === true;
  const sendChunk = (choice: CompletionChoice) =>
    onChunk?.({ ...head, choices: [choice], ...(wantsUsage && { usage: null }) });

  const repeats = request.n ?? 1;
  const tasks = promptsOf(request).flatMap((prompt) =>
    Array.from({ length: repeats }, (_, repeat) => taskRequest(request, prompt, repeat)),
  );
  const results = await allOrNone(tasks, signal, async (task, stop, index) => {
    const result = await generate(dependencies, model, task, {
      signal: stop,
      ...(onChunk && {
        onPart: ({ text, logprobs }) =>
          sendChunk({ text, index, logprobs: viewLogprobs(logprobs), finish_reason: null }),
      }),
    });
    sendChunk({ text: '', index, logprobs: null, finish_reason: viewFinishReason(result) });
    return result;
  });
  const choices = results.map((result, index) => ({
    text: request.echo ? result.prompt + result.text : result.text,
    index,
    logprobs: viewLogprobs(result.logprobs),
    finish_reason: viewFinishReason(result),
  }));
  const usage: CompletionUsage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  for (const [index, { promptTokens, tokens }] of results.entries()) {
    if (index % repeats === 0) usage.prompt_tokens += promptTokens;
    usage.completion_tokens += tokens;
  }
  usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
  if (wantsUsage) onChunk?.({ ...head, choices: [], usage });
  return { ...head, choices, usage };
}

/** All experiments with weights, newest first. */
export function listModels(store: Store): OpenAiModel[] {
  return store.experiments.served().map(viewModel);
}

/** @throws experiment-not-found, experiment-untrained */
export function findModel(store: Store, idOrName: string): OpenAiModel {
  const experiment = findByIdOrName(store, idOrName);
  referToModel(experiment);
  return viewModel(experiment);
}

function viewModel({ id, name, createdAt }: { id: string; name: string; createdAt: string }): OpenAiModel {
  const created = Math.floor(Date.parse(createdAt) / 1000);
  return { id, object: 'model', created, owned_by: 'gatelm', name };
}

function promptsOf({ prompt }: CompletionRequest): readonly Prompt[] {
  if (prompt == null) return [''];
  if (typeof prompt === 'string') return [prompt];
  return isIds(prompt) ? [prompt] : prompt;
}

function isIds(prompts: readonly unknown[]): prompts is readonly number[] {
  return typeof prompts[0] === 'number';
}

/** @param repeat the texts of one prompt have seeds one after another */
function taskRequest(request: CompletionRequest, prompt: Prompt, repeat: number): GenerationTaskRequest {
  const { stop, seed, logprobs, logit_bias: logitBias, echo } = request;
  return GenerationTaskRequest.parse({
    ...(typeof prompt === 'string' ? { prompt } : { promptIds: prompt }),
    maxTokens: request.max_tokens ?? 16,
    temperature: request.temperature ?? undefined,
    topP: request.top_p === 0 ? Number.MIN_VALUE : (request.top_p ?? undefined),
    topK: request.top_k ?? undefined,
    minP: request.min_p ?? undefined,
    repetitionPenalty: request.repetition_penalty ?? undefined,
    presencePenalty: request.presence_penalty ?? undefined,
    frequencyPenalty: request.frequency_penalty ?? undefined,
    stop: typeof stop === 'string' ? [stop] : (stop ?? undefined),
    seed: seed == null ? undefined : wrapSeed(wrapSeed(seed) + repeat),
    logprobs: logprobs ?? undefined,
    logitBias: logitBias ?? undefined,
    echo: echo ?? undefined,
  });
}

/** OpenAI's seeds are integers of 64 bits; a sum beyond 2⁵³ would not be one more. */
function wrapSeed(seed: number): number {
  return ((seed % 2 ** 32) + 2 ** 32) % 2 ** 32;
}

function viewFinishReason({ finishReason }: GenerationResult): 'length' | 'stop' {
  return finishReason === 'length' || finishReason === 'timeout' ? 'length' : 'stop';
}

function viewLogprobs(logprobs: readonly TokenLogprob[] | undefined): CompletionChoice['logprobs'] {
  if (!logprobs) return null;
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(({ top }) => top),
    text_offset: logprobs.map(({ start }) => start),
  };
}
