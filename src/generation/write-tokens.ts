import type { GenerationPart } from '../contracts/generation.js';
import type { LanguageModel } from '../models/language-model.js';
import type { TextWriting } from './text-writing.js';

/**
 * Generates the next token of each text. If the largest logits are enough for all of them, only these are copied out of
 * TensorFlow: the logits of a large vocabulary are megabytes per step.
 * @param model with the state of the texts, in their order; advances it
 * @returns final text of each; null = none yet
 */
export function writeTokens(
  writings: readonly TextWriting[],
  model: LanguageModel,
): (GenerationPart | null)[] {
  const size = model.vocabularySize;
  const lastIds = Int32Array.from(writings, ({ lastId }) => lastId);
  const counts = writings.map((writing) => writing.topCount(size));
  if (counts.every((count) => count !== null)) {
    const count = Math.max(...counts);
    const { ids, values } = model.nextTokens(lastIds, count);
    return writings.map((writing, row) => {
      const [begin, end] = [row * count, (row + 1) * count];
      return writing.writeFromTop({ ids: ids.subarray(begin, end), values: values.subarray(begin, end) });
    });
  }
  const logits = model.nextLogits(lastIds);
  const all = logits.dataSync<'float32'>();
  logits.dispose();
  return writings.map((writing, row) => writing.write(all.slice(row * size, (row + 1) * size)));
}
