import type { GenerationPart } from '../contracts/generation.js';
import { topLogits } from '../models/logits.js';
import type { Tensor2D } from '../tensor/tensorflow.js';
import type { TextWriting } from './text-writing.js';

/**
 * The next token of each text. Where all of them draw among few tokens, only these leave TensorFlow: the logits of a large
 * vocabulary are megabytes a step.
 * @param logits [N, V], one row a text; borrowed
 * @returns what has become certain of each text; null = nothing yet
 */
export function writeTokens(writings: readonly TextWriting[], logits: Tensor2D): (GenerationPart | null)[] {
  const [, size] = logits.shape;
  const counts = writings.map((writing) => writing.topCount(size));
  if (counts.every((count) => count !== null)) {
    const count = Math.max(...counts);
    const { ids, values } = topLogits(logits, count);
    return writings.map((writing, row) => {
      const [begin, end] = [row * count, (row + 1) * count];
      return writing.writeFromTop({ ids: ids.subarray(begin, end), values: values.subarray(begin, end) });
    });
  }
  const all = logits.dataSync<'float32'>();
  return writings.map((writing, row) => writing.write(all.slice(row * size, (row + 1) * size)));
}
