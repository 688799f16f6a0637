/** The LSTM of native/: weights wx [D, 4H], wh [H, 4H], b [4H]; state hidden and cell; see src/layers/time-lstm.ts. */
import * as tf from '../../tensor/tensorflow.js';
import { tidyValue } from '../../tensor/tidy-value.js';
import type { CellKernels, Tensors } from '../cell.js';
import type { NextTokens, NextTokensInput } from '../kernels.js';
import type { NativeOps } from './native-ops.js';

type Lstm<Names extends string> = Readonly<Record<Names, tf.Tensor>>;
type LstmState = Lstm<'hidden' | 'cell'>;
type LstmWeights = Lstm<'wx' | 'wh' | 'b'>;
type PackedLstm = Lstm<'packedWx' | 'packedWh'>;

export function nativeLstm(ops: NativeOps): CellKernels {
  return {
    name: 'lstm',
    rowsAreIndependent: true,
    forward({ x, state, weights, bf16 }) {
      const { hiddens, hidden, cell, cache } = ops.lstmForward({
        x,
        ...(state as LstmState),
        ...(weights as LstmWeights),
        bf16,
      });
      return { hiddens: hiddens as tf.Tensor3D, state: { hidden, cell }, saved: { ...cache } };
    },
    backward({ x, state, weights, bf16, dHiddens, hiddens, saved }) {
      const { wx, wh } = weights as LstmWeights;
      const { dx, dWx, dWh, db, dHidden, dCell } = ops.lstmBackward({
        ...{ dHiddens, x, ...(state as LstmState), wx, wh, hiddens, bf16 },
        cache: saved as Lstm<'gates' | 'cells'>,
      });
      tf.dispose([dHidden, dCell]);
      return { dx, dWeights: { wx: dWx, wh: dWh, b: db } };
    },
    pack(weights, bf16) {
      const { wx, wh } = weights as LstmWeights;
      return ops.packLstm({ wx, wh, bf16 });
    },
    infer({ x, state, weights, packed, bf16 }) {
      const { b } = weights as LstmWeights;
      const input = { x, ...(state as LstmState), ...(packed as PackedLstm), b, bf16 };
      const { hiddens, hidden, cell } = ops.lstmPacked(input);
      return { hiddens: hiddens as tf.Tensor3D, state: { hidden, cell } };
    },
  };
}

/** A step of a model of LSTM layers in one op that updates their states in place. */
export function nextLstmTokens(ops: NativeOps, input: NextTokensInput): NextTokens {
  const { ids, count, embedding, layers, output } = input;
  const top = tidyValue(() => {
    const chosen = ops.nextTokens({
      ids: tf.tensor1d(ids, 'int32'),
      count,
      embedding,
      layers: layers.map(({ state, weights, packed }) => ({
        ...(state as LstmState),
        ...(packed as PackedLstm),
        b: weights.b!,
      })),
      output: { packed: output.packed.packed!, b: output.b },
      bf16: output.bf16,
    });
    return { ids: chosen.ids.dataSync<'int32'>(), values: chosen.values.dataSync<'float32'>() };
  });
  return { top, states: layers.map(({ state }): Tensors => state) };
}
