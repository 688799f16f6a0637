/** The Mogrifier LSTM of native/: an LSTM's weights and state, and matrices q1, q2, … of rounds; see src/layers/time-mogrifier-lstm.ts. */
import * as tf from '../../tensor/tensorflow.js';
import type { CellKernels, Tensors } from '../cell.js';
import { gatherSource, sumSource } from '../indexed-rows.js';
import { roundsOf } from '../mogrifier-rounds.js';
import { expectGradientInput, expectPackedInput, expectRunInput } from './native-inputs.js';
import type { NativeOps } from './native-ops.js';

type LstmState = Readonly<Record<'hidden' | 'cell', tf.Tensor>>;
type LstmWeights = Readonly<Record<'wx' | 'wh' | 'b', tf.Tensor>>;

const GATES = 4;
const WHERE = 'the native Mogrifier LSTM';

export function nativeMogrifier(ops: NativeOps): CellKernels {
  return {
    name: 'mogrifier-lstm',
    rowsAreIndependent: true,
    forward(input) {
      expectRunInput(input, GATES, WHERE);
      const { bf16 } = input;
      const x = gatherSource(input.x); // the rounds make an input of its own of each step
      const { hidden, cell } = input.state as LstmState;
      const { wx, wh, b } = input.weights as LstmWeights;
      const rounds = listRounds(input.weights);
      const inputs = [x, hidden, cell, wx, wh, b, ...rounds.matrices, ...rounds.ups];
      const outputs = ops.run('GatelmMogrifierLstm', inputs, 5 + rounds.matrices.length, lists(rounds, bf16));
      const [hiddens, cells, gates, lastHidden, lastCell, ...ofRounds] = outputs;
      const saved = ofRounds.map((gate, index) => [`s${index + 1}`, gate]);
      return {
        hiddens: hiddens as tf.Tensor3D,
        state: { hidden: lastHidden!, cell: lastCell! },
        saved: { gates: gates!, cells: cells!, ...Object.fromEntries(saved) },
      };
    },
    backward(input) {
      expectGradientInput(input, GATES, WHERE);
      const { dHiddens, bf16, hiddens, saved } = input;
      const x = gatherSource(input.x);
      const { hidden, cell } = input.state as LstmState;
      const { wx, wh } = input.weights as LstmWeights;
      const rounds = listRounds(input.weights);
      const inputs = [
        ...[dHiddens, x, hidden, cell, wx, wh, hiddens, saved.cells!, saved.gates!],
        ...rounds.matrices.map((_, index) => saved[`s${index + 1}`]!),
        ...rounds.matrices,
        ...rounds.ups,
      ];
      const outputs = ops.run(
        'GatelmMogrifierLstmGrad',
        inputs,
        4 + rounds.names.length,
        lists(rounds, bf16),
      );
      const [dx, dWx, dWh, db, ...ofRounds] = outputs;
      const named = new Map([
        ['wx', dWx!],
        ['wh', dWh!],
        ['b', db!],
      ]);
      for (const [index, gradient] of ofRounds.entries()) named.set(rounds.names[index]!, gradient);
      const dWeights = Object.keys(input.weights).map((name) => [name, named.get(name)!]);
      return { dx: sumSource(input.x, dx as tf.Tensor3D), dWeights: Object.fromEntries(dWeights) };
    },
    pack(weights, bf16) {
      const { wx, wh } = weights as LstmWeights;
      const rounds = listRounds(weights);
      const inputs = [wx, wh, ...rounds.matrices, ...rounds.ups];
      const [packed] = ops.run('GatelmPackMogrifierLstm', inputs, 1, lists(rounds, bf16));
      return { packed: packed! };
    },
    infer(input) {
      expectPackedInput(input, WHERE);
      const { weights, packed, bf16 } = input;
      const { hidden, cell } = input.state as LstmState;
      const { matrices, ups } = listRounds(weights);
      return tf.tidy(() => {
        const x = gatherSource(input.x);
        const rank = tf.tensor1d([ups[0]?.shape[0] ?? 0], 'int32');
        const inputs = [x, hidden, cell, packed.packed!, weights.b!, rank];
        const outputs = ops.run('GatelmMogrifierLstmPacked', inputs, 3, { bf16, N: matrices.length });
        const [hiddens, lastHidden, lastCell] = outputs;
        return { hiddens: hiddens as tf.Tensor3D, state: { hidden: lastHidden!, cell: lastCell! } };
      });
    },
  };
}

/** The tensors of the rounds in the order of the ops, with their names among the weights. */
function listRounds(weights: Tensors) {
  const rounds = roundsOf(weights);
  const matrices = rounds.map((round) => ('whole' in round ? round.whole : round.down));
  const ups = rounds.flatMap((round) => ('up' in round ? [round.up] : []));
  const ends = ups.length > 0 ? (['_down', '_up'] as const) : ([''] as const);
  const names = ends.flatMap((end) => rounds.map((_, index) => `q${index + 1}${end}`));
  return { names, matrices, ups };
}

function lists({ matrices, ups }: ReturnType<typeof listRounds>, bf16: boolean) {
  return { bf16, N: matrices.length, U: ups.length };
}
