import type { TopLogits } from '../tensor/logits.js';
import { RANDOM_STREAMS, RandomSource, uniform } from '../tensor/random.js';
import { type Logprobs, logprobsOf } from './logprobs.js';
import { type SamplingOptions, sampleFromTop, sampleToken, topCount } from './sampling.js';

/** How tokens are drawn. */
export interface TokenRequest extends SamplingOptions {
  readonly seed: number;
  readonly maxTokens: number;
  readonly suppressUnknown: boolean;
  /** Taken from the logit of a token that was written already, once and for each time. */
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  /** Added to the logits of these ids, which are in the vocabulary. */
  readonly logitBias?: Readonly<Record<string, number>> | undefined;
  /** Log probabilities of each token, and of so many others. */
  readonly logprobs?: number | undefined;
}

/** A token that was drawn. */
export interface DrawnToken {
  readonly id: number;
  /** When they were asked for. */
  readonly logprobs: Logprobs | null;
}

/** Draws the tokens of one text. Its random numbers are its own: what else is written beside it changes nothing. */
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

  /** How many of the largest logits {@link drawFromTop} needs; null = {@link draw} has to see all. */
  topCount(vocabularySize: number): number | null {
    const { presencePenalty = 0, frequencyPenalty = 0, logitBias = {}, logprobs } = this.#request;
    if (logprobs !== undefined || presencePenalty !== 0 || frequencyPenalty !== 0) return null;
    if (Object.keys(logitBias).length > 0) return null;
    return topCount(this.#request, vocabularySize, this.#banned);
  }

  /** Draws what {@link draw} would. @param top of this stream, as many as {@link topCount}, or more */
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

  /** Adds biases and takes penalties. */
  #adjust(logits: Float32Array): void {
    const { presencePenalty = 0, frequencyPenalty = 0, logitBias = {} } = this.#request;
    for (const [id, bias] of Object.entries(logitBias)) logits[Number(id)]! += bias;
    if (presencePenalty === 0 && frequencyPenalty === 0) return;
    for (const [id, times] of this.#written) logits[id]! -= presencePenalty + frequencyPenalty * times;
  }
}
