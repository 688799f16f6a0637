import { dropoutMask } from '../../tensor/random.js';
import * as tf from '../../tensor/tensorflow.js';
import { type CellOps, composedCell } from '../cell.js';
import type {
  DropoutInput,
  Kernels,
  NextTokensInput,
  OutputTargets,
  OutputWeights,
  RowGradient,
} from '../kernels.js';
import { asLines } from '../row-gradient.js';
import { nextTokens } from './next-tokens.js';
import { affineForward, lossesOf, outputGradients } from './output.js';
import { addRows, coalesceRows } from './rows.js';
import { adam, adapt, sgd } from './updates.js';

/** Kernels of TensorFlow's own ops, on any backend: the readable equivalent of all others. Stateless. */
export class ComposedKernels implements Kernels {
  readonly name = 'composed';
  readonly hasBfloat16 = false;
  /** TensorFlow may split a product in any way. */
  readonly rowsAreIndependent = false;

  cell(composed: CellOps) {
    return composedCell(composed);
  }

  rows({ table, ids }: { readonly table: tf.Tensor; readonly ids: tf.Tensor }): tf.Tensor {
    return tf.gather(table, ids);
  }

  coalesceRows(gradients: readonly RowGradient[]): RowGradient {
    return coalesceRows(gradients);
  }

  addRows(table: tf.Tensor, gradient: RowGradient, factor = 1): tf.Tensor {
    return addRows(table, gradient, factor);
  }

  dropout({ x, key, rate, period }: DropoutInput): tf.Tensor {
    return tf.tidy(() => {
      const mask = tf.tensor(dropoutMask(period, key, rate)); // [period]
      return tf.reshape(tf.mul(tf.reshape(x, [-1, period]), mask), x.shape);
    });
  }

  packOutput() {
    return {};
  }

  logits({ h, w, b }: OutputWeights & { readonly h: tf.Tensor }): tf.Tensor2D {
    return tf.tidy(() => affineForward(asLines(h), w, b));
  }

  losses({ h, w, b, targets }: OutputWeights & OutputTargets): tf.Tensor1D {
    return tf.tidy(() => lossesOf(affineForward(asLines(h), w, b), targets).losses);
  }

  lossesAndGradients(input: OutputWeights & OutputTargets & { readonly scale: number }) {
    return outputGradients(input);
  }

  nextTokens(input: NextTokensInput) {
    return nextTokens(this, input);
  }

  sumSquares(xs: readonly tf.Tensor[]): Float32Array {
    const sums = tf.tidy(() => tf.stack(xs.map((x) => tf.sum(tf.square(x)))));
    const values = sums.dataSync<'float32'>();
    sums.dispose();
    return values;
  }

  sgd = sgd;
  adam = adam;
  adapt = adapt;
}
