import type { GenerationPart } from '../contracts/generation.js';
import type { LanguageModel } from '../models/language-model.js';
import type { TextWriting } from './text-writing.js';

/**
 * The next token of each text. Where all of them draw among few tokens, only these leave TensorFlow: the logits of a large
 * vocabulary are megabytes a step.
 * @param model its state is the past of the texts, in their order; it goes on
 * @returns what has become certain of each text; null = nothing yet
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
