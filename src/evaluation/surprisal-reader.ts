import type { LanguageModel, TokenBatch } from '../models/language-model.js';
import { SeparateState } from '../models/separate-state.js';
import { type DynamicEvaluation, DynamicModel } from './dynamic-model.js';
import type { GradientStatistics } from './gradient-statistics.js';
import { CacheMixer, type NeuralCache } from './neural-cache.js';

/** How a model adapts to the text that it reads; all null = no adaptation. */
export interface Adaptation {
  readonly cache: NeuralCache | null;
  readonly dynamic: DynamicEvaluation | null;
  /** Borrowed; required by dynamic evaluation with the rule rms. */
  readonly statistics: GradientStatistics | null;
}

export const NO_ADAPTATION: Adaptation = { cache: null, dynamic: null, statistics: null };

/** Tokens per block without learning: limits memory, and the waiting time of others. Does not affect the result. */
const BLOCK = 128;

/**
 * Reads one text from its beginning, block by block, and returns the surprisal of each token: of the unchanged model, with a
 * continuous cache, or with dynamic evaluation. The state of the model is unchanged after each call.
 */
export class SurprisalReader {
  /** Number of tokens per {@link read}. Only the last block may be shorter. */
  readonly blockLength: number;
  readonly #model: LanguageModel;
  readonly #state: SeparateState;
  readonly #learner: DynamicModel | null;
  readonly #mixer: CacheMixer | null;

  /** @param model borrowed until {@link dispose} */
  constructor(model: LanguageModel, { cache, dynamic, statistics }: Adaptation = NO_ADAPTATION) {
    this.#model = model;
    this.#state = new SeparateState(model);
    this.#learner = dynamic && new DynamicModel(model, dynamic, statistics);
    this.#mixer = cache && new CacheMixer(cache);
    this.blockLength = dynamic?.segmentLength ?? BLOCK;
  }

  /** @param batch of one stream @returns nats per token */
  read(batch: TokenBatch): Float32Array | Float64Array {
    if (!this.#learner && !this.#mixer) return this.#state.use(() => this.#model.losses(batch));
    const { losses, hiddens } =
      this.#learner?.read(batch) ?? this.#state.use(() => this.#model.lossesAndHiddens(batch));
    if (this.#mixer) return this.#mixer.mix(losses, hiddens, batch.targets);
    hiddens.dispose();
    return losses;
  }

  dispose(): void {
    this.#mixer?.dispose();
    this.#learner?.dispose();
    this.#state.dispose();
  }
}
