import type { CacheOptions, DynamicOptions } from '../contracts/evaluation.js';
import { appError } from '../errors.js';
import type { LanguageModel } from '../models/language-model.js';
import { evaluateDynamicallyStepwise, searchDynamicStepwise } from './dynamic-evaluation.js';
import type { DynamicEvaluation } from './dynamic-model.js';
import type { Evaluation } from './evaluate.js';
import { GradientStatistics } from './gradient-statistics.js';
import { evaluateWithCacheStepwise, type NeuralCache, searchNeuralCacheStepwise } from './neural-cache.js';
import type { Stepwise } from './stepwise.js';
import type { Adaptation } from './surprisal-reader.js';

/** Learning rate and decay where a request leaves them open, for segments of 5 tokens. */
const DYNAMIC_DEFAULTS = {
  rms: { learningRate: 0.00005, decay: 0.002 },
  sgd: { learningRate: 0.1, decay: 0 },
} as const;

/** What a client asks for. */
export interface AdaptationRequest {
  readonly cache?: CacheOptions | undefined;
  readonly dynamic?: DynamicOptions | undefined;
}

/** The splits that searches and statistics read. */
export interface AdaptationSplits {
  readonly train: Int32Array;
  readonly valid: Int32Array;
}

/** An {@link Adaptation} of the caller's own, to be disposed. */
export interface PreparedAdaptation extends Adaptation {
  /** What is used, to be told; after a search, what it chose. */
  readonly used: AdaptationRequest;
  dispose(): void;
}

/** Whether a request wants the model to adapt. */
export function isAdaptive({ cache, dynamic }: AdaptationRequest): boolean {
  return cache !== undefined || dynamic !== undefined;
}

/** Whether {@link prepareAdaptation} has to read the corpus that the model was trained on. */
export function needsSplits({ cache, dynamic }: AdaptationRequest): boolean {
  return cache?.search === true || dynamic?.search === true || dynamic?.rule === 'rms';
}

/**
 * What a request asks for, after a search where it wants one. Cache and dynamic evaluation are searched each by itself, the
 * cache on the model as it was trained.
 * @param splits null where they are not needed, see {@link needsSplits}
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
 * Evaluates with the cache, dynamically, or both at once.
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
  if (!splits) throw appError('internal', { reference: 'an adaptation without the splits that it reads' });
  return splits;
}
