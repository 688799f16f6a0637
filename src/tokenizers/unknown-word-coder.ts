import { UNKNOWN_TOKEN } from './vocabulary.js';

/** The bytes, and the end of a word. */
const SYMBOLS = 257;
const END = 256;

/**
 * The cost of spelling the words that a vocabulary maps to `<unk>`, so that a model with a small vocabulary has no advantage:
 * p(`<unk>`) is multiplied by the probability of the word behind it. Expects the unknown words of one text in their order.
 *
 *     p(word | <unk>) = p(spelled) · Π p(byte) · p(end)
 *
 * Bytes and end of word come from an adaptive order-0 model (Laplace smoothing: all 257 symbols start with a count of 1, so
 * the first word costs ln 257 per symbol). Where the text itself contains `<unk>` for a rare word, as PTB does, no word is
 * hidden: p(written) = 1 − p(spelled), which is estimated in the same way (Krichevsky-Trofimov: both start with 1/2), soon
 * costs nothing. The probabilities of all words behind `<unk>` sum to at most 1.
 */
export class UnknownWordCoder {
  readonly #counts = new Float64Array(SYMBOLS).fill(1);
  #symbols = SYMBOLS;
  #written = 0;
  #words = 0;

  /** @returns −ln p(word | `<unk>`), in nats */
  charge(word: string): number {
    const isWritten = word === UNKNOWN_TOKEN;
    const count = isWritten ? this.#written : this.#words - this.#written;
    let nats = Math.log((this.#words + 1) / (count + 0.5));
    this.#words++;
    if (isWritten) {
      this.#written++;
      return nats;
    }
    for (const byte of Buffer.from(word, 'utf8')) nats += this.#chargeSymbol(byte);
    return nats + this.#chargeSymbol(END);
  }

  #chargeSymbol(symbol: number): number {
    const nats = Math.log(this.#symbols / this.#counts[symbol]!);
    this.#counts[symbol]! += 1;
    this.#symbols++;
    return nats;
  }
}
