import type { CorpusStatistics } from '../contracts/corpus.js';
import type { Vocabulary } from '../tokenizers/vocabulary.js';

/** Counts the figures of a split from its ids, piece by piece. */
export class StatisticsCounter {
  readonly #vocabulary: Vocabulary;
  readonly #seen: Uint8Array;
  /** 1 for the tokens that end a line: the line end, and byte pairs with a line feed among other bytes. */
  readonly #endsLine: Uint8Array;
  #tokens = 0;
  #types = 0;
  #unknown = 0;
  #line = 0;
  #longestLine = 0;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#seen = new Uint8Array(vocabulary.size);
    const lineEnd = vocabulary.token(vocabulary.eosId);
    this.#endsLine = Uint8Array.from(vocabulary.tokens, (token) => Number(token.includes(lineEnd)));
  }

  add(ids: Int32Array): this {
    const { unknownId } = this.#vocabulary;
    for (const id of ids) {
      if (this.#seen[id] === 0) {
        this.#seen[id] = 1;
        this.#types++;
      }
      if (id === unknownId) this.#unknown++;
      this.#line++;
      if (this.#line > this.#longestLine) this.#longestLine = this.#line;
      if (this.#endsLine[id] === 1) this.#line = 0;
    }
    this.#tokens += ids.length;
    return this;
  }

  /** @param bytes length of the split's text in UTF-8 */
  result(bytes: number): CorpusStatistics {
    return {
      tokens: this.#tokens,
      types: this.#types,
      unknownRate: this.#tokens === 0 ? 0 : this.#unknown / this.#tokens,
      longestLine: this.#longestLine,
      bytes,
    };
  }
}
