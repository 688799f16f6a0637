import {
  type FinishReason,
  type GenerationPart,
  type GenerationRequest,
  MAX_TAIL,
  type TokenLogprob,
} from '../contracts/generation.js';
import type { TopLogits } from '../tensor/logits.js';
import { endsWithWordSpace, type Tokenizer, unknownWords } from '../tokenizers/tokenizer.js';
import { nameLogprobs } from './logprobs.js';
import { findStop, shownLength } from './stop-strings.js';
import { type DrawnToken, type TokenRequest, TokenSampler } from './token-sampler.js';

export interface GeneratedText {
  /** The continuation, so that prompt + text is the whole text. */
  readonly text: string;
  readonly tokens: number;
  readonly promptTokens: number;
  readonly finishReason: FinishReason;
  /** Words of the prompt that are not in the vocabulary. */
  readonly unknownWords: readonly string[];
  /** If requested: of the tokens that begin in the text. */
  readonly logprobs?: readonly TokenLogprob[];
}

/** Options for generating a text, in addition to those of sampling. */
export type TextRequest = Omit<GenerationRequest, 'seed' | 'presencePenalty' | 'frequencyPenalty'> &
  Pick<TokenRequest, 'presencePenalty' | 'frequencyPenalty' | 'logprobs' | 'logitBias'> & {
    readonly seed: number;
    /** Token ids to continue, instead of the prompt. */
    readonly promptIds?: readonly number[] | undefined;
    /** The last ids of a text to continue, the very last one not read yet; the prompt follows them. */
    readonly tail?: readonly number[] | undefined;
    /** The text to continue ends with the space that belongs before its next word. */
    readonly isAfterSpace?: boolean | undefined;
  };

/**
 * One text in generation: from logits to tokens, from tokens to pieces of text, until it is finished. A possible start of a
 * stop string is held back. Independent of the model: the caller supplies logits.
 */
export class TextWriting {
  /** The ids to read before the first logits: the end of a line or the tail of a previous text, then the prompt. */
  readonly context: Int32Array;
  readonly #tokenizer: Tokenizer;
  readonly #request: TextRequest;
  readonly #sampler: TokenSampler;
  readonly #decoder: ReturnType<Tokenizer['createDecoder']>;
  readonly #logprobs: TokenLogprob[] = [];
  /** The last ids of text and context. */
  #tail: number[];
  /** The text so far ends with the space that belongs before the next word. */
  #hasWordSpace: boolean;
  /** Shown pieces, joined only at the end: a text of 100,000 tokens is not copied at each token. */
  readonly #pieces: string[] = [];
  /** Total length of the pieces. */
  #shown = 0;
  /** The text after them, which may be the start of a stop string. */
  #held = '';
  #shownLogprobs = 0;
  #tokens = 0;
  #finishReason: FinishReason | null = null;

  /** @throws token-id-out-of-range for a prompt of ids */
  constructor(tokenizer: Tokenizer, request: TextRequest) {
    this.#tokenizer = tokenizer;
    this.#request = request;
    this.context = contextOf(tokenizer, request);
    const before = [...(request.tail ?? []).slice(0, -1), ...this.context];
    this.#tail = before.slice(-MAX_TAIL);
    this.#sampler = new TokenSampler(request, this.context, tokenizer.vocabulary.unknownId);
    this.#decoder = tokenizer.createDecoder();
    for (const id of Object.keys(request.logitBias ?? {})) tokenizer.vocabulary.token(Number(id)); // throws
    for (const id of before) this.#decoder.push(id);
    this.#hasWordSpace =
      !request.promptIds &&
      (request.prompt === '' ? request.isAfterSpace === true : endsWithWordSpace(tokenizer, request.prompt));
    if (request.maxTokens === 0) this.#finishReason = 'length';
  }

  /** The next input of the model. */
  get lastId(): number {
    return this.#tail.at(-1)!;
  }

  /** The last ids of the text so far, including its context. */
  get tail(): readonly number[] {
    return this.#tail;
  }

  get endsWithSpace(): boolean {
    return this.#hasWordSpace;
  }

  get isFinished(): boolean {
    return this.#finishReason !== null;
  }

  /**
   * Samples the next token.
   * @param logits of the whole vocabulary; changed in place
   * @returns text that is final; null = none yet. {@link finish} returns the last piece
   */
  write(logits: Float32Array): GenerationPart | null {
    return this.#append(this.#sampler.draw(logits));
  }

  /** The number of largest logits that {@link writeFromTop} needs; null = {@link write} needs all. */
  topCount(vocabularySize: number): number | null {
    return this.#sampler.topCount(vocabularySize);
  }

  /** {@link write} from the largest logits alone. @param top of this text, at least {@link topCount} */
  writeFromTop(top: TopLogits): GenerationPart | null {
    return this.#append(this.#sampler.drawFromTop(top));
  }

  #append({ id, logprobs }: DrawnToken): GenerationPart | null {
    const { stop, maxTokens } = this.#request;
    const checked = this.#held.length;
    const named = logprobs && nameLogprobs(logprobs, id, (other) => this.#read(this.#decoder.peek(other)));
    const token = this.#read(this.#decoder.push(id));
    if (token !== '') this.#hasWordSpace = false;
    this.#tail = [...this.#tail, id].slice(-MAX_TAIL);
    this.#tokens += 1;
    this.#held += token;
    if (named) this.#logprobs.push({ ...named, start: this.#shown + checked });
    const end = findStop(this.#held, stop, checked);
    if (end !== null) {
      this.#held = this.#held.slice(0, end);
      this.#finishReason = 'stop';
      return null;
    }
    if (this.#tokens === maxTokens) {
      this.#finishReason = 'length';
      return null; // the rest of an incomplete character may follow
    }
    const certain = shownLength(this.#held, stop);
    return certain > 0 ? this.#part(certain) : null;
  }

  /** Finishes the text as it is. */
  cancel(): void {
    this.#finishReason ??= 'cancelled';
  }

  /** The rest that was held back, or null, and the whole text. */
  finish(): { part: GenerationPart | null; result: GeneratedText } {
    if (this.#finishReason !== 'stop') this.#endDecoding();
    const part = this.#part(this.#held.length);
    const { promptIds: ids, prompt, logprobs } = this.#request;
    return {
      part: part.text !== '' || part.logprobs?.length ? part : null,
      result: {
        text: this.#pieces.join(''),
        tokens: this.#tokens,
        promptTokens: this.context.length - 1,
        finishReason: this.#finishReason ?? 'length',
        unknownWords: ids ? [] : unknownWords(this.#tokenizer, prompt),
        ...(logprobs !== undefined && { logprobs: this.#logprobs.slice(0, this.#shownLogprobs) }),
      },
    };
  }

  /** The text of a token in this context. */
  #read(token: string): string {
    return this.#hasWordSpace && token.startsWith(' ') ? token.slice(1) : token;
  }

  /** An incomplete character at the end belongs to the last token. */
  #endDecoding(): void {
    const rest = this.#decoder.end();
    this.#held += rest;
    const last = this.#logprobs.at(-1);
    if (rest === '' || !last) return;
    const { [last.token]: logprob, ...others } = last.top!;
    const token = last.token + rest;
    this.#logprobs[this.#logprobs.length - 1] = { ...last, token, top: { ...others, [token]: logprob! } };
  }

  /** Releases a part of the held text. */
  #part(length: number): GenerationPart {
    const piece = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    this.#pieces.push(piece);
    this.#shown += length;
    if (this.#request.logprobs === undefined) return { text: piece, tokens: this.#tokens };
    const isWhole = this.#finishReason !== null && this.#finishReason !== 'stop';
    const upTo = isWhole
      ? this.#logprobs.length
      : this.#logprobs.findLastIndex(({ start }) => start < this.#shown) + 1;
    const pieces = this.#logprobs.slice(this.#shownLogprobs, upTo);
    this.#shownLogprobs = Math.max(this.#shownLogprobs, upTo);
    return { text: piece, tokens: this.#tokens, logprobs: pieces };
  }
}

/** The tokens of a prompt that starts a line, after the end-of-line token. */
export function promptIds(tokenizer: Tokenizer, prompt: string): Int32Array {
  return behind(tokenizer.vocabulary.eosId, tokenizer.encode(prompt));
}

function contextOf(tokenizer: Tokenizer, { prompt, promptIds: ids, tail }: TextRequest): Int32Array {
  for (const id of [...(ids ?? []), ...(tail ?? [])]) tokenizer.vocabulary.token(id); // throws for an unknown id
  return behind(tail?.at(-1) ?? tokenizer.vocabulary.eosId, ids ?? tokenizer.encode(prompt));
}

function behind(first: number, ids: ArrayLike<number>): Int32Array {
  const all = new Int32Array(ids.length + 1);
  all[0] = first;
  all.set(ids, 1);
  return all;
}
