import { UNKNOWN_TOKEN } from './vocabulary.js';

/** The bytes, and the end of a word. */
const SYMBOLS = 257;
const END = 256;

/**
 * What it costs to spell the words that a vocabulary only knows as `<unk>`, so that a model that knows few words is not the
 * better for it: to p(`<unk>`) comes the probability of what it hides. Reads the unknown words of one text in their order.
 *
 *     p(word | <unk>) = p(spelled) · Π p(byte) · p(end)
 *
 * The bytes and the end of a word come from an order-0 model that learns from the unknown words before (Laplace: all 257
 * symbols were seen once at first, so the first word costs ln 257 a symbol). Where the text itself has `<unk>` for a rare
 * word, as PTB does, nothing is hidden: p(written) = 1 − p(spelled), which is learned likewise (Krichevsky-Trofimov: half a
 * word of each at first), soon costs nothing. The probabilities of all that `<unk>` may hide sum to 1 at most.
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
