import { sampleToken } from '../src/generation/sampling.js';
import type { LanguageModel } from '../src/models/language-model.js';
import { RandomSource, uniform } from '../src/tensor/random.js';

const OPTIONS = { temperature: 0.8, topK: 40, topP: 1, minP: 0, repetitionPenalty: 1 };
const NONE: ReadonlySet<number> = new Set();

/** A function that writes one token of each of N streams, side by side. */
export function generateTokensOfStreams(model: LanguageModel, streams: number): () => void {
  const random = new RandomSource(1, 99);
  let ids = new Int32Array(streams);
  return () => {
    const logits = model.nextLogits(ids);
    const values = logits.dataSync<'float32'>();
    logits.dispose();
    const draws = uniform(streams, random.next(), 0, 1);
    ids = ids.map((_, n) => {
      const row = values.subarray(n * model.vocabularySize, (n + 1) * model.vocabularySize);
      return sampleToken(row, OPTIONS, draws[n]!, NONE, NONE);
    });
  };
}
