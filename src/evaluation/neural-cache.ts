import { evaluationBatches } from '../batches/batch-iterator.js';
import { perplexityOf } from '../contracts/figures.js';
import type { LanguageModel } from '../models/language-model.js';
import { SeparateState } from '../models/separate-state.js';
import { matMul } from '../tensor/mat-mul.js';
import * as tf from '../tensor/tensorflow.js';
import type { Evaluation } from './evaluate.js';
import { runToEnd, type Stepwise } from './stepwise.js';

/** Hyper-parameters of the continuous cache. */
export interface NeuralCache {
  /** Number of previous tokens in the cache. */
  readonly window: number;
  /** θ: sharpness of the similarity of contexts. */
  readonly theta: number;
  /** λ: weight of the cache. */
  readonly lambda: number;
}

/** Search grid; every combination is evaluated. */
export interface NeuralCacheGrid {
  readonly windows: readonly number[];
  readonly thetas: readonly number[];
  readonly lambdas: readonly number[];
}

export const NEURAL_CACHE_GRID: NeuralCacheGrid = {
  windows: [100, 500, 2000],
  thetas: [0.3, 0.6, 1, 1.5],
  lambdas: [0.05, 0.1, 0.2, 0.3],
};

/** Tokens per block, whose products with the cache are one matrix. Does not affect the result. */
const BLOCK = 128;

/**
 * Evaluates a text as one stream with a continuous cache.
 *
 *     p(w | h_t) = (1 − λ) · p_model(w | h_t) + λ · p_cache(w | h_t)
 *     p_cache(w | h_t) = Σ_i [x_i+1 = w] · exp(θ · h_t·h_i) / Σ_i exp(θ · h_t·h_i)        max(0, t − window) ≤ i < t
 *
 * x: the tokens; h_i: the last layer's hidden vector after x_0 … x_i. The first prediction has an empty cache, and is
 * that of the model alone. The state of the model is unchanged afterwards.
 *
 * Reference: Grave, Joulin and Usunier 2017, arXiv 1612.04426.
 * @param ids the whole text; its first token is only an input, not predicted
 * @throws corpus-too-short
 */
export function evaluateWithCache(model: LanguageModel, ids: Int32Array, cache: NeuralCache): Evaluation {
  return runToEnd(evaluateWithCacheStepwise(model, ids, cache));
}

/** {@link evaluateWithCache} block by block; the model is free between steps. */
export function* evaluateWithCacheStepwise(
  model: LanguageModel,
  ids: Int32Array,
  cache: NeuralCache,
): Stepwise<Evaluation> {
  const [found] = yield* measure(model, ids, gridOf(cache), 'evaluation');
  return found!.evaluation;
}

/** Mixes a continuous cache into the losses of a model, block by block. */
export class CacheMixer {
  readonly #grid: NeuralCacheGrid;
  readonly #history: CacheHistory;

  constructor(cache: NeuralCache) {
    this.#grid = gridOf(cache);
    this.#history = new CacheHistory(cache.window);
  }

  /**
   * @param losses of the model alone, nats per token @param hiddens [T, H]; ownership passes to the cache
   * @param targets the T predicted tokens
   */
  mix(losses: Float32Array, hiddens: tf.Tensor2D, targets: Int32Array): Float64Array {
    const scores = this.#history.read(hiddens, targets);
    const total = new Float64Array(1);
    return Float64Array.from(losses, (loss, row) => {
      total[0] = 0;
      addLosses(total, loss, scores, row, targets[row]!, this.#grid);
      return total[0];
    });
  }

  dispose(): void {
    this.#history.dispose();
  }
}

function gridOf({ window, theta, lambda }: NeuralCache): NeuralCacheGrid {
  return { windows: [window], thetas: [theta], lambdas: [lambda] };
}

/**
 * The combination with the lowest loss on a text, such as the valid split. Reads the text once.
 * @throws corpus-too-short
 */
export function searchNeuralCache(
  model: LanguageModel,
  ids: Int32Array,
  grid: NeuralCacheGrid = NEURAL_CACHE_GRID,
): CacheFinding {
  return runToEnd(searchNeuralCacheStepwise(model, ids, grid));
}

/** {@link searchNeuralCache} block by block; the model is free between steps. */
export function* searchNeuralCacheStepwise(
  model: LanguageModel,
  ids: Int32Array,
  grid: NeuralCacheGrid = NEURAL_CACHE_GRID,
): Stepwise<CacheFinding> {
  const all = yield* measure(model, ids, grid, 'search');
  return all.reduce((best, one) => (one.evaluation.loss < best.evaluation.loss ? one : best));
}

/** A combination with its evaluation. */
export interface CacheFinding {
  readonly cache: NeuralCache;
  readonly evaluation: Evaluation;
}

/** The evaluation of every combination, in one pass over the text. The progress is that of the first one. */
function* measure(
  model: LanguageModel,
  ids: Int32Array,
  grid: NeuralCacheGrid,
  phase: 'search' | 'evaluation',
): Stepwise<CacheFinding[]> {
  const windows = grid.windows.toSorted((a, b) => a - b);
  const history = new CacheHistory(windows.at(-1)!);
  const totals = new Float64Array(windows.length * grid.thetas.length * grid.lambdas.length);
  const state = new SeparateState(model);
  const tokens = ids.length - 1;
  let read = 0;
  try {
    for (const batch of evaluationBatches(ids, { batchSize: 1, bpttLength: BLOCK })) {
      const { losses, hiddens } = state.use(() => model.lossesAndHiddens(batch));
      const scores = history.read(hiddens, batch.targets);
      for (const [row, loss] of losses.entries())
        addLosses(totals, loss, scores, row, batch.targets[row]!, { ...grid, windows });
      read += losses.length;
      yield { phase, tokens: read, totalTokens: tokens, perplexity: perplexityOf(totals[0]! / read) };
    }
  } finally {
    state.dispose();
    history.dispose();
  }
  const measured: CacheFinding[] = [];
  forEachCombination({ ...grid, windows }, (cache, index) => {
    const loss = totals[index]! / tokens;
    measured.push({ cache, evaluation: { loss, perplexity: perplexityOf(loss), tokens } });
  });
  return measured;
}

/** Order of the totals: windows, then thetas, then lambdas. */
function forEachCombination(
  { windows, thetas, lambdas }: NeuralCacheGrid,
  visit: (cache: NeuralCache, index: number) => void,
): void {
  let index = 0;
  for (const window of windows)
    for (const theta of thetas) for (const lambda of lambdas) visit({ window, theta, lambda }, index++);
}

/** Adds −ln p of one token under each combination. */
function addLosses(
  totals: Float64Array,
  loss: number,
  scores: BlockScores,
  row: number,
  target: number,
  { windows, thetas, lambdas }: NeuralCacheGrid,
): void {
  const fromModel = Math.exp(-loss);
  for (const [t, theta] of thetas.entries()) {
    const cached = cacheProbabilities(scores, row, target, theta, windows);
    for (const [w, fromCache] of cached.entries()) {
      for (const [l, lambda] of lambdas.entries()) {
        const index = (w * thetas.length + t) * lambdas.length + l;
        totals[index]! +=
          fromCache === null ? loss : -Math.log((1 - lambda) * fromModel + lambda * fromCache);
      }
    }
  }
}

/**
 * p_cache(target) for each window; null if the cache is empty. One pass from the newest entry to the oldest, in float64,
 * with the largest exponent so far factored out of both sums.
 * @param windows ascending
 */
function cacheProbabilities(
  { values, columns, words, past }: BlockScores,
  row: number,
  target: number,
  theta: number,
  windows: readonly number[],
): (number | null)[] {
  const newest = past + row - 1;
  const probabilities: (number | null)[] = [];
  let largest = Number.NEGATIVE_INFINITY;
  let all = 0;
  let hits = 0;
  let entry = newest;
  for (const window of windows) {
    const oldest = Math.max(0, newest - window + 1);
    for (; entry >= oldest; entry--) {
      const exponent = theta * values[row * columns + entry]!;
      if (exponent > largest) {
        const shrink = Math.exp(largest - exponent);
        all *= shrink;
        hits *= shrink;
        largest = exponent;
      }
      const weight = Math.exp(exponent - largest);
      all += weight;
      if (words[entry] === target) hits += weight;
    }
    probabilities.push(newest < 0 ? null : hits / all);
  }
  return probabilities;
}

/** Products h_t·h_i of the T tokens of a block with all tokens that the cache may contain. */
interface BlockScores {
  /** [T, past + T] */
  readonly values: Float32Array;
  readonly columns: number;
  /** The token x_i+1 that followed each h_i, one per column. */
  readonly words: Int32Array;
  /** Number of columns before the block; column past + t is h_t itself. */
  readonly past: number;
}

/** The hidden vectors of the last tokens, with the tokens that followed them. */
class CacheHistory {
  readonly #window: number;
  #hiddens: tf.Tensor2D | null = null; // [≤ window, H]
  #words = new Int32Array(0);

  constructor(window: number) {
    this.#window = window;
  }

  /** @param hiddens of the next T tokens, [T, H]; ownership passes to the history @param targets the token after each */
  read(hiddens: tf.Tensor2D, targets: Int32Array): BlockScores {
    const time = hiddens.shape[0];
    const past = this.#words.length;
    const { scores, kept } = tf.tidy(() => {
      const all = this.#hiddens ? tf.concat([this.#hiddens, hiddens]) : hiddens.clone(); // [past + T, H]
      const count = Math.min(this.#window, all.shape[0]);
      return {
        scores: matMul(hiddens, all, false, true), // [T, past + T]
        kept: tf.keep(tf.slice(all, [all.shape[0] - count, 0], [count, -1])),
      };
    });
    const values = scores.dataSync<'float32'>();
    scores.dispose();
    this.dispose();
    hiddens.dispose();
    this.#hiddens = kept;
    const words = new Int32Array(past + time);
    words.set(this.#words);
    words.set(targets, past);
    this.#words = words.slice(-kept.shape[0]);
    return { values, columns: past + time, words, past };
  }

  dispose(): void {
    this.#hiddens?.dispose();
    this.#hiddens = null;
  }
}
