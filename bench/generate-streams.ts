import { sampleFromTop } from '../src/generation/sampling.js';
import type { LanguageModel } from '../src/models/language-model.js';
import { RandomSource, uniform } from '../src/tensor/random.js';

const OPTIONS = { temperature: 0.8, topK: 40, topP: 1, minP: 0, repetitionPenalty: 1 };
const NONE: ReadonlySet<number> = new Set();

/** A function that writes one token of each of N streams, side by side. */
export function generateTokensOfStreams(model: LanguageModel, streams: number): () => void {
  const random = new RandomSource(1, 99);
  const { topK } = OPTIONS;
  let ids = new Int32Array(streams);
  return () => {
    const top = model.nextTokens(ids, topK);
    const draws = uniform(streams, random.next(), 0, 1);
    ids = ids.map((_, n) => {
      const [begin, end] = [n * topK, (n + 1) * topK];
      const own = { ids: top.ids.subarray(begin, end), values: top.values.subarray(begin, end) };
      return sampleFromTop(own, OPTIONS, draws[n]!, NONE);
    });
  };
}
