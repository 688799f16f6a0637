import { randomInt } from 'node:crypto';
import type { InferenceExecutor, RunOptions } from '../compute/inference-executor.js';
import type { Environment } from '../contracts/environment.js';
import type { EvaluationProgress, EvaluationRequest, EvaluationResult } from '../contracts/evaluation.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import {
  type BeamSearchRequest,
  type GenerationAnswer,
  GenerationChoice,
  GenerationResult,
  type GenerationTaskRequest,
} from '../contracts/generation.js';
import type { ModelReference } from '../contracts/jobs.js';
import type { SampleQuality, SampleQualityRequest } from '../contracts/sample-quality.js';
import type { RankRequest, RankResult, ScoreList, ScoreRequest, ScoreResult } from '../contracts/score.js';
import { appError } from '../errors.js';
import { modelKey } from '../files/layout.js';
import type { Store } from '../store/store.js';
import type { Corpora } from './corpora.js';
import { findByIdOrName, findExperiment } from './find-experiment.js';

export type { RunOptions };

export interface ModelDependencies {
  readonly store: Store;
  readonly executor: InferenceExecutor;
  readonly corpora: Corpora;
  readonly environment: Pick<Environment, 'generationTimeoutMs'>;
}

/**
 * Generates text; ends it early with the text so far if it takes too long.
 * @throws what the executor throws
 */
export async function generate(
  { executor, environment }: ModelDependencies,
  model: ModelReference,
  request: GenerationTaskRequest,
  { signal, ...options }: RunOptions = {},
): Promise<GenerationResult> {
  const timeout = AbortSignal.timeout(environment.generationTimeoutMs);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  const result = await executor.run({ type: 'generate', model, request }, { ...options, signal: either });
  const isLate = result.finishReason === 'cancelled' && timeout.aborted && !signal?.aborted;
  return isLate ? { ...result, finishReason: 'timeout' } : result;
}

type SeveralRequest = GenerationTaskRequest & Pick<BeamSearchRequest, 'n' | 'beams' | 'lengthPenalty'>;

/**
 * Several texts for one prompt, generated in parallel with consecutive seeds. If one fails, all are cancelled.
 * @throws as {@link modelOf} and {@link generate}
 */
export async function generateSeveral(
  dependencies: ModelDependencies,
  id: string | undefined,
  { n, beams, lengthPenalty, ...request }: SeveralRequest,
  options: RunOptions = {},
): Promise<GenerationAnswer> {
  const model = modelOf(dependencies, id);
  if (beams > 1) return search(dependencies, model, { ...request, n, beams, lengthPenalty }, options);
  if (n === 1) return generate(dependencies, model, request, options);
  const { signal, onPart } = options;
  const first = request.seed ?? randomInt(2 ** 32);
  const requests = Array.from({ length: n }, (_, index) => ({ ...request, seed: (first + index) % 2 ** 32 }));
  const results = await allOrNone(requests, signal, (each, stop, index) =>
    generate(dependencies, model, each, {
      signal: stop,
      ...(onPart && { onPart: (part) => onPart({ index, ...part }) }),
    }),
  );
  return { ...results[0]!, choices: results.map((result) => GenerationChoice.parse(result)) };
}

/** Beam search for the most likely texts. @throws config-conflict, deadline-exceeded, and what the executor throws */
async function search(
  { executor, environment }: ModelDependencies,
  model: ModelReference,
  { prompt, maxTokens, stop, suppressUnknown, n, beams, lengthPenalty, ...rest }: SeveralRequest,
  { signal, onPart }: RunOptions,
): Promise<GenerationAnswer> {
  if (n > beams)
    throw appError('config-conflict', { field: 'n', reason: `${beams} beams give at most ${beams} texts` });
  if (rest.repetitionPenalty !== 1 || rest.presencePenalty !== 0 || rest.frequencyPenalty !== 0)
    throw appError('config-conflict', {
      field: 'beams',
      reason: 'beam search does not support penalties',
    });
  const limitMs = environment.generationTimeoutMs;
  const timeout = AbortSignal.timeout(limitMs);
  const request = { prompt, maxTokens, stop, suppressUnknown, n, beams, lengthPenalty };
  const run = executor.run(
    { type: 'search', model, request },
    { signal: signal ? AbortSignal.any([signal, timeout]) : timeout },
  );
  const { choices, ...found } = await run.catch((error: unknown) => {
    throw timeout.aborted ? appError('deadline-exceeded', { what: 'The search', limitMs }, error) : error;
  });
  const seed = rest.seed ?? 0; // beam search is deterministic
  for (const [index, { text, tokens }] of choices.entries()) onPart?.({ index, text, tokens });
  return {
    experimentId: model.experimentId,
    prompt,
    ...found,
    ...GenerationResult.pick({ text: true, tokens: true, finishReason: true }).parse(choices[0]),
    seed,
    choices: choices.map((choice) => ({ ...choice, seed })),
  };
}

/** Runs all in parallel; if one fails, the others are cancelled and its error is thrown. */
export async function allOrNone<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal | undefined,
  run: (item: Item, signal: AbortSignal, index: number) => Promise<Result>,
): Promise<Result[]> {
  const failure = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  try {
    return await Promise.all(items.map((item, index) => run(item, stop, index)));
  } catch (error) {
    failure.abort();
    throw error;
  }
}

/**
 * Scores each token of a text.
 * @throws as {@link modelOf}, config-conflict for units to ablate without inspect, and what the executor throws
 */
export async function score(
  dependencies: ModelDependencies,
  id: string | undefined,
  request: ScoreRequest,
  options: RunOptions<never> = {},
): Promise<ScoreResult | ScoreList> {
  if (request.ablate.length > 0 && !request.inspect)
    throw appError('config-conflict', { field: 'ablate', reason: 'it requires inspect' });
  const model = modelOf(dependencies, id);
  const { executor } = dependencies;
  const list = await executor.run({ type: 'score', model, request }, options);
  return request.text === undefined ? list : list.items[0]!;
}

/**
 * Ranks alternative continuations of a prompt by probability.
 * @throws as {@link modelOf}, and what the executor throws
 */
export async function rank(
  dependencies: ModelDependencies,
  id: string | undefined,
  request: RankRequest,
  options: RunOptions<never> = {},
): Promise<RankResult> {
  return dependencies.executor.run({ type: 'rank', model: modelOf(dependencies, id), request }, options);
}

/**
 * Perplexity of a model on a split of a corpus, or on a text.
 * @throws experiment-not-found, experiment-untrained, corpus-not-found, and what the executor throws
 */
export async function evaluate(
  { store, executor, corpora }: ModelDependencies,
  id: string,
  request: EvaluationRequest,
  options: RunOptions<EvaluationProgress> = {},
): Promise<EvaluationResult> {
  if (request.text !== undefined && (request.corpus !== undefined || request.split !== undefined))
    throw appError('config-conflict', {
      field: 'text',
      reason: 'it cannot be combined with corpus or split',
    });
  const model = referToModel(findExperiment(store, id));
  if (request.corpus !== undefined) await corpora.assertExists(request.corpus);
  return executor.run({ type: 'evaluate', model, request }, options);
}

/**
 * Whether a model learned or memorized: how varied its samples are, and how much of them stands in its training text.
 * @throws experiment-not-found, experiment-untrained, corpus-not-found, and what the executor throws
 */
export async function sampleQuality(
  { store, executor }: ModelDependencies,
  id: string,
  request: SampleQualityRequest,
  options: RunOptions<never> = {},
): Promise<SampleQuality> {
  const model = referToModel(findExperiment(store, id));
  return executor.run({ type: 'sample-quality', model, request }, options);
}

/**
 * Refers to the best weights of an experiment so far.
 * @param id id or name; default: the experiment with the lowest validation perplexity among those that succeeded on the corpus of
 * the one that succeeded last; perplexities of different corpora are not comparable
 * @throws experiment-not-found, experiment-untrained, no-experiment
 */
export function modelOf({ store }: Pick<ModelDependencies, 'store'>, id: string | undefined): ModelReference {
  return referToModel(chooseExperiment(store, id));
}

function chooseExperiment(store: Store, id: string | undefined): ExperimentRecord {
  if (id !== undefined) return findByIdOrName(store, id);
  const best = store.experiments.findBestSucceeded();
  if (!best) throw appError('no-experiment');
  return best;
}

/** @throws experiment-untrained */
export function referToModel({ id, state, modelDigest }: ExperimentRecord): ModelReference {
  if (modelDigest === null) throw appError('experiment-untrained', { experiment: id, state });
  return { experimentId: id, folder: modelKey(id), digest: modelDigest };
}
