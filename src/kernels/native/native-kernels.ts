import * as tf from '../../tensor/tensorflow.js';
import { tidyValue } from '../../tensor/tidy-value.js';
import { type CellKernels, type CellOps, composedCell, type Tensors } from '../cell.js';
import { nextTokens } from '../composed/next-tokens.js';
import type {
  AdamInput,
  AdaptInput,
  DropoutInput,
  Kernels,
  NextTokens,
  NextTokensInput,
  OutputGradients,
  OutputTargets,
  OutputWeights,
  PackedOutput,
  RowGradient,
  SgdInput,
} from '../kernels.js';
import { asLines, joinRows } from '../row-gradient.js';
import { nativeGru } from './native-gru.js';
import { nativeLstm, nextLstmTokens } from './native-lstm.js';
import { nativeMogrifier } from './native-mogrifier.js';
import type { NativeOps } from './native-ops.js';

/** The kernels of native/: fused, with products whose order of summation does not depend on other rows. Updates work in place. */
export class NativeKernels implements Kernels {
  readonly name = 'fused';
  readonly hasBfloat16 = true;
  readonly rowsAreIndependent = true;
  readonly ops: NativeOps;
  /** Cells with a fused form, by name. */
  readonly #cells: ReadonlyMap<string, CellKernels>;

  constructor(ops: NativeOps) {
    this.ops = ops;
    this.#cells = new Map(
      [nativeLstm(ops), nativeGru(ops), nativeMogrifier(ops)].map((cell) => [cell.name, cell]),
    );
  }

  cell(composed: CellOps): CellKernels {
    return this.#cells.get(composed.name) ?? composedCell(composed);
  }

  rows(input: { readonly table: tf.Tensor; readonly ids: tf.Tensor }): tf.Tensor {
    return this.ops.rows(input);
  }

  coalesceRows(gradients: readonly RowGradient[]): RowGradient {
    return tidyValue(() => {
      const { ids, rows } = joinRows(gradients);
      const summed = this.ops.coalesceRows({ ids: tf.tensor1d(ids, 'int32'), rows });
      return { ids: summed.ids.dataSync() as Int32Array, rows: tf.keep(summed.rows), coalesced: true };
    });
  }

  addRows(table: tf.Tensor, { ids, rows }: RowGradient, factor = 1): tf.Tensor {
    tf.tidy(() => {
      this.ops.scatterAddRows({ table, ids: tf.tensor1d(ids, 'int32'), rows: asLines(rows), factor });
    });
    return table;
  }

  dropout({ x, key, rate, period }: DropoutInput): tf.Tensor {
    const { seed, stream, counterLow, counterHigh } = key;
    return this.ops.dropout({ x, key: [seed, stream, counterLow, counterHigh], rate, period });
  }

  packOutput(input: Pick<OutputWeights, 'w' | 'bf16'>): Tensors {
    return { packed: this.ops.packOutput(input) };
  }

  logits({ h, packed, b, bf16 }: PackedOutput & { readonly h: tf.Tensor }): tf.Tensor2D {
    return this.ops.logitsPacked({ h, packed: packed.packed!, b, bf16 }) as tf.Tensor2D;
  }

  losses({ h, packed, b, bf16, targets }: PackedOutput & OutputTargets): tf.Tensor1D {
    return tf.tidy(() => {
      const ids = tf.tensor1d(targets, 'int32');
      return this.ops.softmaxLossPacked({ h, packed: packed.packed!, b, targets: ids, bf16 }) as tf.Tensor1D;
    });
  }

  lossesAndGradients(input: OutputWeights & OutputTargets & { readonly scale: number }): OutputGradients {
    return tf.tidy(() => {
      const targets = tf.tensor1d(input.targets, 'int32');
      const run = this.ops.softmaxLossBackward({ ...input, targets });
      return { ...run, losses: run.losses as tf.Tensor1D };
    });
  }

  nextTokens(input: NextTokensInput): NextTokens {
    const isFused = input.layers.every(({ cell }) => cell.name === 'lstm');
    return isFused ? nextLstmTokens(this.ops, input) : nextTokens(this, input);
  }

  sumSquares(xs: readonly tf.Tensor[]): Float32Array {
    return tidyValue(() => this.ops.sumSquares(xs).dataSync<'float32'>());
  }

  sgd(input: SgdInput) {
    if (input.updates.length > 0) this.ops.sgd(input);
    return input.updates;
  }

  adam(input: AdamInput) {
    this.ops.adam(input);
    return input;
  }

  /** One pass over the weights, and one over the rows of a sparse gradient. */
  adapt({ gradient, ...input }: AdaptInput): tf.Tensor {
    const { value, roots, learningRate, epsilon } = input;
    this.ops.adapt({ ...input, gradient: gradient.kind === 'dense' ? gradient.value : null });
    if (gradient.kind === 'rows') {
      tf.tidy(() => {
        const ids = tf.tensor1d(gradient.rows.ids, 'int32');
        const step = roots
          ? tf.div(learningRate, tf.add(tf.gather(roots, ids), epsilon))
          : tf.scalar(learningRate);
        const rows = tf.mul(gradient.rows.rows, step);
        this.ops.scatterAddRows({ table: value, ids, rows, factor: -1 });
      });
    }
    return value;
  }
}
