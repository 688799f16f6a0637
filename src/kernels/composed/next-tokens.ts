import { composedTopLogits } from '../../tensor/logits.js';
import * as tf from '../../tensor/tensorflow.js';
import { tidyValue } from '../../tensor/tidy-value.js';
import type { Tensors } from '../cell.js';
import type { Kernels, NextTokens, NextTokensInput } from '../kernels.js';

/** {@link Kernels.nextTokens}, layer by layer with the given kernels. */
export function nextTokens(kernels: Kernels, input: NextTokensInput): NextTokens {
  const { ids, count, embedding, layers, output } = input;
  const states: Tensors[] = [];
  const top = tidyValue(() => {
    let x = kernels.rows({
      table: embedding,
      ids: tf.tensor2d(ids, [1, ids.length], 'int32'),
    }) as tf.Tensor3D; // [1, N, D]
    for (const { cell, state, weights, packed } of layers) {
      const run = cell.infer({ x, state, weights, packed, bf16: output.bf16 });
      states.push(run.state);
      x = run.hiddens; // [1, N, H]
    }
    const top = composedTopLogits(kernels.logits({ ...output, h: x }), count);
    for (const state of states) for (const tensor of Object.values(state)) tf.keep(tensor);
    return top;
  });
  return { top, states };
}
