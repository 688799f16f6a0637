import type { CacheOptions, DynamicOptions } from '../contracts/evaluation.js';
import type { EvaluationRequest } from '../contracts/generation.js';
import type { LanguageModel } from '../models/language-model.js';
import {
  type DynamicEvaluation,
  evaluateDynamically,
  searchDynamicEvaluation,
} from './dynamic-evaluation.js';
import type { Evaluation } from './evaluate.js';
import { GradientStatistics } from './gradient-statistics.js';
import { evaluateWithCache, searchNeuralCache } from './neural-cache.js';

/** Learning rate and decay where a request leaves them open, for segments of 5 tokens. */
const DYNAMIC_DEFAULTS = {
  rms: { learningRate: 0.00005, decay: 0.002 },
  sgd: { learningRate: 0.1, decay: 0 },
} as const;

/** The splits that searches and statistics read; asked for only when they are needed. */
export type ReadSplits = () => Promise<{ readonly train: Int32Array; readonly valid: Int32Array }>;

export interface AdaptiveEvaluation extends Evaluation {
  /** What was used; after a search, what it chose. */
  readonly cache?: CacheOptions;
  readonly dynamic?: DynamicOptions;
}

/** Whether a request wants {@link evaluateAdaptively} rather than a plain evaluation. */
export function isAdaptive({ cache, dynamic }: Pick<EvaluationRequest, 'cache' | 'dynamic'>): boolean {
  return cache !== undefined || dynamic !== undefined;
}

/**
 * Evaluates with the cache, dynamically, or both at once, as a request says, after a search where it asks for one. Each is
 * searched by itself, the cache on the model as it was trained.
 * @param ids the whole text; its first token is only read, not predicted
 * @throws corpus-too-short
 */
export async function evaluateAdaptively(
  model: LanguageModel,
  ids: Int32Array,
  { cache, dynamic }: Pick<EvaluationRequest, 'cache' | 'dynamic'>,
  readSplits: ReadSplits,
): Promise<AdaptiveEvaluation> {
  const usedCache = cache?.search ? searchNeuralCache(model, (await readSplits()).valid).cache : cache;
  const cacheOptions = cache && { cache: { ...cache, ...usedCache } };
  if (!dynamic) return { ...evaluateWithCache(model, ids, usedCache!), ...cacheOptions };
  const options = dynamic;
  const { learningRate, decay } = DYNAMIC_DEFAULTS[options.rule];
  const start: DynamicEvaluation = {
    ...options,
    learningRate: options.learningRate ?? learningRate,
    decay: options.decay ?? decay,
  };
  const statistics = options.rule === 'rms' ? await collectStatistics(model, options, readSplits) : null;
  try {
    let chosen = start;
    if (options.search) {
      const valid = (await readSplits()).valid.subarray(0, options.searchTokens + 1);
      chosen = searchDynamicEvaluation(model, valid, start, statistics).options;
    }
    const evaluation = evaluateDynamically(model, ids, chosen, statistics, usedCache);
    const used = { learningRate: chosen.learningRate, decay: chosen.decay };
    return { ...evaluation, ...cacheOptions, dynamic: { ...options, ...used } };
  } finally {
    statistics?.dispose();
  }
}

async function collectStatistics(model: LanguageModel, options: DynamicOptions, readSplits: ReadSplits) {
  const { segmentLength, statisticsBatches: batches } = options;
  return GradientStatistics.collect(model, (await readSplits()).train, { segmentLength, batches });
}
