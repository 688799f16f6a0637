import type { TopLogits } from '../tensor/logits.js';
import { RANDOM_STREAMS, RandomSource, uniform } from '../tensor/random.js';
import { type Logprobs, logprobsOf } from './logprobs.js';
import { type SamplingOptions, sampleFromTop, sampleToken, topCount } from './sampling.js';

/** Options of sampling a text. */
export interface TokenRequest extends SamplingOptions {
  readonly seed: number;
  readonly maxTokens: number;
  readonly suppressUnknown: boolean;
  /** Subtracted from the logits of generated tokens: presencePenalty once, frequencyPenalty per occurrence. */
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  /** Added to the logits of these ids. */
  readonly logitBias?: Readonly<Record<string, number>> | undefined;
  /** Return log probabilities of each token, and of this many alternatives. */
  readonly logprobs?: number | undefined;
}

/** A sampled token. */
export interface DrawnToken {
  readonly id: number;
  /** If requested. */
  readonly logprobs: Logprobs | null;
}

/** Samples the tokens of one text. It has its own random numbers, independent of other texts in the batch. */
export class TokenSampler {
  readonly #request: TokenRequest;
  readonly #random: RandomSource;
  readonly #seen: Set<number>;
  readonly #written = new Map<number, number>();
  readonly #banned: ReadonlySet<number>;

  /** @param context the ids before the text */
  constructor(request: TokenRequest, context: Int32Array, unknownId: number | null) {
    this.#request = request;
    this.#random = new RandomSource(request.seed, RANDOM_STREAMS.sampling);
    this.#seen = new Set(context);
    this.#banned = new Set(request.suppressUnknown && unknownId !== null ? [unknownId] : []);
  }

  /** @param logits of the whole vocabulary; changed in place */
  draw(logits: Float32Array): DrawnToken {
    const request = this.#request;
    const original = request.logprobs === undefined ? null : logits.slice();
    this.#adjust(logits);
    const id = sampleToken(logits, request, this.#nextRandom(), this.#seen, this.#banned);
    this.#note(id);
    return { id, logprobs: original && logprobsOf(original, id, request.logprobs ?? 0) };
  }

  /** The number of largest logits that {@link drawFromTop} needs; null = {@link draw} needs all. */
  topCount(vocabularySize: number): number | null {
    const { presencePenalty = 0, frequencyPenalty = 0, logitBias = {}, logprobs } = this.#request;
    if (logprobs !== undefined || presencePenalty !== 0 || frequencyPenalty !== 0) return null;
    if (Object.keys(logitBias).length > 0) return null;
    return topCount(this.#request, vocabularySize, this.#banned);
  }

  /** The same result as {@link draw}. @param top of this stream, at least {@link topCount} */
  drawFromTop(top: TopLogits): DrawnToken {
    const id = sampleFromTop(top, this.#request, this.#nextRandom(), this.#banned);
    this.#note(id);
    return { id, logprobs: null };
  }

  #nextRandom(): number {
    return uniform(1, this.#random.next(), 0, 1)[0]!;
  }

  #note(id: number): void {
    this.#seen.add(id);
    this.#written.set(id, (this.#written.get(id) ?? 0) + 1);
  }

  /** Adds biases and subtracts penalties. */
  #adjust(logits: Float32Array): void {
    const { presencePenalty = 0, frequencyPenalty = 0, logitBias = {} } = this.#request;
    for (const [id, bias] of Object.entries(logitBias)) logits[Number(id)]! += bias;
    if (presencePenalty === 0 && frequencyPenalty === 0) return;
    for (const [id, times] of this.#written) logits[id]! -= presencePenalty + frequencyPenalty * times;
  }
}
