import type { AdaptationRequest, CacheOptions, DynamicOptions } from '../contracts/evaluation.js';
import { appError } from '../errors.js';
import type { LanguageModel } from '../models/language-model.js';
import { evaluateDynamicallyStepwise, searchDynamicStepwise } from './dynamic-evaluation.js';
import type { DynamicEvaluation } from './dynamic-model.js';
import type { Evaluation } from './evaluate.js';
import { GradientStatistics } from './gradient-statistics.js';
import { evaluateWithCacheStepwise, type NeuralCache, searchNeuralCacheStepwise } from './neural-cache.js';
import type { Stepwise } from './stepwise.js';
import type { Adaptation } from './surprisal-reader.js';

/** Learning rate and decay if the request has none, for segments of 5 tokens. */
const DYNAMIC_DEFAULTS = {
  rms: { learningRate: 0.00005, decay: 0.002 },
  sgd: { learningRate: 0.1, decay: 0 },
} as const;

/** The splits that search and statistics use. */
export interface AdaptationSplits {
  readonly train: Int32Array;
  readonly valid: Int32Array;
}

/** An {@link Adaptation} owned by the caller, who must dispose it. */
export interface PreparedAdaptation extends Adaptation {
  /** The options in use, as reported to the client; after a search, the chosen values. */
  readonly used: AdaptationRequest;
  dispose(): void;
}

/** Whether a request lets the model adapt. */
export function isAdaptive({ cache, dynamic }: AdaptationRequest): boolean {
  return cache !== undefined || dynamic !== undefined;
}

/**
 * Prepares the adaptation of a request, including a search if requested. Cache and dynamic evaluation are searched
 * separately, the cache on the unchanged model.
 * @param splits null if not needed, see {@link readsTrainingCorpus}
 */
export function* prepareAdaptation(
  model: LanguageModel,
  { cache, dynamic }: AdaptationRequest,
  splits: AdaptationSplits | null,
): Stepwise<PreparedAdaptation> {
  const usedCache = yield* chooseCache(model, cache, splits);
  const cacheAnswer = cache && usedCache && { cache: { ...cache, ...usedCache } };
  if (!dynamic)
    return { cache: usedCache, dynamic: null, statistics: null, used: { ...cacheAnswer }, dispose: () => {} };
  const statistics = dynamic.rule === 'rms' ? yield* collectStatistics(model, dynamic, splits) : null;
  let isHandedOver = false;
  try {
    const chosen = yield* chooseDynamic(model, dynamic, statistics, splits);
    const { learningRate, decay } = chosen;
    isHandedOver = true;
    return {
      cache: usedCache,
      dynamic: chosen,
      statistics,
      used: { ...cacheAnswer, dynamic: { ...dynamic, learningRate, decay } },
      dispose: () => statistics?.dispose(),
    };
  } finally {
    if (!isHandedOver) statistics?.dispose();
  }
}

/**
 * Evaluates with the cache, with dynamic evaluation, or with both.
 * @param ids the whole text; its first token is only read, not predicted
 * @throws corpus-too-short
 */
export function evaluateAdapted(
  model: LanguageModel,
  ids: Int32Array,
  { cache, dynamic, statistics }: Adaptation,
): Stepwise<Evaluation> {
  return dynamic
    ? evaluateDynamicallyStepwise(model, ids, { cache, dynamic, statistics })
    : evaluateWithCacheStepwise(model, ids, cache!);
}

function* chooseCache(
  model: LanguageModel,
  cache: CacheOptions | undefined,
  splits: AdaptationSplits | null,
): Stepwise<NeuralCache | null> {
  if (!cache?.search) return cache ?? null;
  const found = yield* searchNeuralCacheStepwise(model, given(splits).valid);
  return found.cache;
}

function* chooseDynamic(
  model: LanguageModel,
  options: DynamicOptions,
  statistics: GradientStatistics | null,
  splits: AdaptationSplits | null,
): Stepwise<DynamicEvaluation> {
  const { learningRate, decay } = DYNAMIC_DEFAULTS[options.rule];
  const start = {
    ...options,
    learningRate: options.learningRate ?? learningRate,
    decay: options.decay ?? decay,
  };
  if (!options.search) return start;
  const valid = given(splits).valid.subarray(0, options.searchTokens + 1);
  const found = yield* searchDynamicStepwise(model, valid, start, statistics);
  return found.options;
}

function collectStatistics(
  model: LanguageModel,
  { segmentLength, statisticsBatches: batches }: DynamicOptions,
  splits: AdaptationSplits | null,
): Stepwise<GradientStatistics> {
  return GradientStatistics.collectStepwise(model, given(splits).train, { segmentLength, batches });
}

function given(splits: AdaptationSplits | null): AdaptationSplits {
  if (!splits) throw appError('internal', { reference: 'an adaptation without the splits that it needs' });
  return splits;
}
