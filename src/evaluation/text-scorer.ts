import { perplexityOf } from '../contracts/figures.js';
import type { ScoredToken, ScoreSummary, TokenInspection } from '../contracts/score.js';
import { appError } from '../errors.js';
import type { TokenBatch } from '../models/language-model.js';
import { IdList } from '../tokenizers/id-list.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { UnknownWordCoder } from '../tokenizers/unknown-word-coder.js';
import { bitsPerByte } from './evaluate.js';
import type { Stepwise } from './stepwise.js';

/** Reads tokens for a {@link TextScorer}: surprisal-reader.ts or inspect-tokens.ts. */
export interface TokenReader {
  /** Number of tokens per block; only the last block may be shorter. */
  readonly blockLength: number;
  /** @returns nats per token */
  read(batch: TokenBatch): Float32Array | Float64Array;
  /** Activations of the last {@link read}, one per token, if inspected. */
  readonly inside?: readonly TokenInspection[];
}

/** The position of a token in the text, and its unknown word. */
type TokenPlace = Pick<ScoredToken, 'start' | 'end' | 'unknown' | 'spelling'>;

/** Maximum number of buffered characters without a safe cut. */
const MAX_HELD = 1024 * 1024;

/**
 * Scores a text that arrives in pieces and starts a line, in constant memory. The result does not
 * depend on how the text is split into pieces.
 */
export class TextScorer {
  readonly #tokenizer: Tokenizer;
  readonly #reader: TokenReader;
  /** The end of the text so far, whose tokens depend on what follows. */
  #held = '';
  /** Bytes before {@link #held}. */
  #bytes = 0;
  /** Tokens of the incomplete block. */
  #ids = new IdList();
  #places: TokenPlace[] = [];
  #lastId: number;
  #loss = 0;
  #tokens = 0;
  readonly #coder = new UnknownWordCoder();
  /** Nats for spelling the unknown words so far. */
  #hidden = 0;
  #unknown = 0;

  /** @param reader borrowed */
  constructor(tokenizer: Tokenizer, reader: TokenReader) {
    this.#tokenizer = tokenizer;
    this.#reader = reader;
    this.#lastId = tokenizer.vocabulary.eosId;
  }

  /**
   * Adds the next piece. Yields scored tokens, block by block.
   * @throws corpus-not-text for a lone surrogate; word-too-long
   */
  *push(text: string): Stepwise<void, ScoredToken[]> {
    this.#held += text;
    const cut = this.#tokenizer.safeCut(this.#held);
    if (cut === 0 && this.#held.length > MAX_HELD)
      throw appError('word-too-long', { byte: this.#bytes, limit: MAX_HELD });
    yield* this.#take(cut);
  }

  /** Scores the rest. @throws corpus-too-short for a text without tokens */
  *end(): Stepwise<ScoreSummary, ScoredToken[]> {
    yield* this.#take(this.#held.length);
    if (this.#places.length > 0) yield this.#readBlock(this.#ids.take());
    if (this.#tokens === 0)
      throw appError('corpus-too-short', { split: 'given', tokens: 0, least: 1, why: '' });
    const loss = this.#loss / this.#tokens;
    return {
      perplexity: perplexityOf(loss),
      loss,
      bitsPerByte: bitsPerByte(loss, this.#tokens, this.#bytes, this.#hidden),
      tokens: this.#tokens,
      unknownTokens: this.#unknown,
      bytes: this.#bytes,
    };
  }

  *#take(length: number): Stepwise<void, ScoredToken[]> {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    const { ids, starts, ends } = this.#tokenizer.encodeWithOffsets(text);
    const { blockLength } = this.#reader;
    const { unknownId } = this.#tokenizer.vocabulary;
    const bytes = unknownId === null ? null : Buffer.from(text);
    for (const [index, id] of ids.entries()) {
      const [start, end] = [starts[index]!, ends[index]!];
      this.#ids.push(id);
      this.#places.push({
        start: this.#bytes + start,
        end: this.#bytes + end,
        ...(id === unknownId && this.#spell(bytes!.toString('utf8', start, end))),
      });
      if (this.#places.length === blockLength) yield this.#readBlock(this.#ids.take());
    }
    this.#bytes += Buffer.byteLength(text);
  }

  #spell(word: string): Pick<TokenPlace, 'unknown' | 'spelling'> {
    const spelling = this.#coder.charge(word);
    this.#hidden += spelling;
    this.#unknown++;
    return { unknown: word, spelling };
  }

  /** Predicts each id from the previous ones; the first from the end of a line. */
  #readBlock(targets: Int32Array): ScoredToken[] {
    const inputs = new Int32Array(targets.length);
    inputs[0] = this.#lastId;
    inputs.set(targets.subarray(0, -1), 1);
    const losses = this.#reader.read({ inputs, targets, time: targets.length, batchSize: 1 });
    const { inside } = this.#reader;
    const scored = this.#places.map((place, index) => ({
      token: this.#tokenizer.vocabulary.token(targets[index]!),
      ...place,
      surprisal: losses[index]!,
      ...(inside && { inside: inside[index]! }),
    }));
    for (const loss of losses) this.#loss += loss;
    this.#tokens += targets.length;
    this.#lastId = targets.at(-1)!;
    this.#ids = new IdList();
    this.#places = [];
    return scored;
  }
}
