/** The GRU of native/: weights wx [D, 3H], wh [H, 3H], b [4H]; state hidden; see src/layers/time-gru.ts. */
import type * as tf from '../../tensor/tensorflow.js';
import type { CellKernels } from '../cell.js';
import { expectGradientInput, expectPackedInput, expectRunInput } from './native-inputs.js';
import type { NativeOps } from './native-ops.js';

type GruState = Readonly<Record<'hidden', tf.Tensor>>;
type GruWeights = Readonly<Record<'wx' | 'wh' | 'b', tf.Tensor>>;

const GATES = 3;
const WHERE = 'the native GRU';

export function nativeGru(ops: NativeOps): CellKernels {
  return {
    name: 'gru',
    rowsAreIndependent: true,
    forward(input) {
      expectRunInput(input, GATES, WHERE);
      const { x, bf16 } = input;
      const { hidden } = input.state as GruState;
      const { wx, wh, b } = input.weights as GruWeights;
      const [hiddens, gates, last] = ops.run('GatelmGru', [...ops.source(x), hidden, wx, wh, b], 3, { bf16 });
      return { hiddens: hiddens as tf.Tensor3D, state: { hidden: last! }, saved: { gates: gates! } };
    },
    backward(input) {
      expectGradientInput(input, GATES, WHERE);
      const { dHiddens, x, bf16, hiddens, saved } = input;
      const { hidden } = input.state as GruState;
      const { wx, wh } = input.weights as GruWeights;
      const inputs = [dHiddens, ...ops.source(x), hidden, wx, wh, hiddens, saved.gates!];
      const [dx, dWx, dWh, db, dHidden] = ops.run('GatelmGruGrad', inputs, 5, { bf16 });
      dHidden!.dispose();
      return { dx: dx!, dWeights: { wx: dWx!, wh: dWh!, b: db! } };
    },
    pack(weights, bf16) {
      const { wx, wh } = weights as GruWeights;
      const [packed] = ops.run('GatelmPackGru', [wx, wh], 1, { bf16 });
      return { packed: packed! };
    },
    infer(input) {
      expectPackedInput(input, WHERE);
      const { x, weights, packed, bf16 } = input;
      const { hidden } = input.state as GruState;
      const inputs = [...ops.source(x), hidden, packed.packed!, weights.b!];
      const [hiddens, last] = ops.run('GatelmGruPacked', inputs, 2, { bf16 });
      return { hiddens: hiddens as tf.Tensor3D, state: { hidden: last! } };
    },
  };
}
