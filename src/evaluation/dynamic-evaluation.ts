import { evaluationBatches } from '../batches/batch-iterator.js';
import type { LanguageModel } from '../models/language-model.js';
import type { DynamicEvaluation } from './dynamic-model.js';
import type { Evaluation } from './evaluate.js';
import type { GradientStatistics } from './gradient-statistics.js';
import type { NeuralCache } from './neural-cache.js';
import { EvaluationCount, runToEnd, type Stepwise } from './stepwise.js';
import { type Adaptation, SurprisalReader } from './surprisal-reader.js';

/**
 * Evaluates a text as one stream while the model learns from it, see dynamic-model.ts.
 * @param ids the whole text; its first token is only an input, not predicted
 * @param statistics required by rms
 * @param cache mixed into the predictions, as in Krause et al. 2018
 * @throws corpus-too-short
 */
export function evaluateDynamically(
  model: LanguageModel,
  ids: Int32Array,
  options: DynamicEvaluation,
  statistics: GradientStatistics | null,
  cache: NeuralCache | null = null,
): Evaluation {
  return runToEnd(evaluateDynamicallyStepwise(model, ids, { dynamic: options, statistics, cache }));
}

/** {@link evaluateDynamically} segment by segment; the model is free between steps. */
export function* evaluateDynamicallyStepwise(
  model: LanguageModel,
  ids: Int32Array,
  adaptation: Adaptation & { readonly dynamic: DynamicEvaluation },
  phase: 'search' | 'evaluation' = 'evaluation',
): Stepwise<Evaluation> {
  const count = new EvaluationCount(phase, ids.length - 1);
  const reader = new SurprisalReader(model, adaptation);
  try {
    for (const segment of evaluationBatches(ids, { batchSize: 1, bpttLength: reader.blockLength })) {
      count.add(reader.read(segment));
      yield count.progress;
    }
  } finally {
    reader.dispose();
  }
  return count.result;
}

/** The result of a search: the chosen options and their evaluation. */
export interface DynamicFinding {
  readonly options: DynamicEvaluation;
  readonly evaluation: Evaluation;
}

/** Search grid for segments of 5 tokens; for other lengths all values are scaled. */
const GRIDS = {
  rms: { learningRates: [0.00002, 0.00005, 0.0001, 0.0002, 0.0004], decays: [0.0005, 0.002, 0.005] },
  sgd: { learningRates: [0.02, 0.05, 0.1, 0.2, 0.5], decays: [0, 0.001] },
} as const;
const GRID_SEGMENT_LENGTH = 5;

/**
 * The learning rate with the lowest loss on a text, such as a part of the valid split, at the given decay; then
 * the decay with the lowest loss at that learning rate.
 * @throws corpus-too-short
 */
export function searchDynamicEvaluation(
  model: LanguageModel,
  ids: Int32Array,
  start: DynamicEvaluation,
  statistics: GradientStatistics | null,
): DynamicFinding {
  return runToEnd(searchDynamicStepwise(model, ids, start, statistics));
}

/** {@link searchDynamicEvaluation} segment by segment; the model is free between steps. */
export function* searchDynamicStepwise(
  model: LanguageModel,
  ids: Int32Array,
  start: DynamicEvaluation,
  statistics: GradientStatistics | null,
): Stepwise<DynamicFinding> {
  const scale = start.segmentLength / GRID_SEGMENT_LENGTH;
  const { learningRates, decays } = GRIDS[start.rule];
  let best: DynamicFinding | null = null;
  function* attempt(options: DynamicEvaluation): Stepwise<void> {
    const adaptation = { dynamic: options, statistics, cache: null };
    const evaluation = yield* evaluateDynamicallyStepwise(model, ids, adaptation, 'search');
    if (!best || evaluation.loss < best.evaluation.loss) best = { options, evaluation };
  }
  for (const learningRate of learningRates) yield* attempt({ ...start, learningRate: learningRate * scale });
  const { learningRate } = best!.options;
  const others = decays.map((decay) => Math.min(1, decay * scale)).filter((decay) => decay !== start.decay);
  for (const decay of others) yield* attempt({ ...start, learningRate, decay });
  return best!;
}
