/** What PyTorch has of each cell: the tensors of a layer, and how they follow from gatelm's. */
import type { CellConfig } from '../contracts/model.js';
import { GRU_GATE_ORDER } from '../layers/gru-cell.js';
import { GATE_ORDER } from '../layers/lstm-cell.js';
import { type MogrifierOptions, mogrifierLstm } from '../layers/time-mogrifier-lstm.js';
import {
  biasFromPyTorch,
  biasToPyTorch,
  gatesFromPyTorch,
  gatesToPyTorch,
  sumOfBiases,
} from './pytorch-gates.js';
import type { HostTensor } from './safetensors.js';

/** Tensors of one layer: gatelm's by the cell's names, PyTorch's by the part of the name that says what it is. */
export type LayerTensors = Readonly<Record<string, HostTensor>>;

export interface PyTorchCell {
  /** How programs call such a layer. */
  readonly modules: readonly string[];
  /** The shapes of PyTorch's tensors. A bias that a file lacks is one of zeros. */
  shapes(inputSize: number, hiddenSize: number): Readonly<Record<string, readonly number[]>>;
  toPyTorch(weights: LayerTensors): LayerTensors;
  fromPyTorch(tensors: LayerTensors): LayerTensors;
}

/** PyTorch's form of a cell. */
export function pytorchCell(config: CellConfig): PyTorchCell {
  switch (config.type) {
    case 'lstm':
      return PYTORCH_LSTM;
    case 'gru':
      return PYTORCH_GRU;
    case 'mogrifier-lstm':
      return pytorchMogrifier(config);
    default:
      return config satisfies never;
  }
}

/** Those that have a module of their own in PyTorch, by how often H their packed gates are. */
const CELLS_BY_GATES: ReadonlyMap<number, CellConfig> = new Map([
  [4, { type: 'lstm' }],
  [3, { type: 'gru' }],
]);

/** The cell of a layer with these tensors, by how many gates its recurrent weights have; an LSTM where there is no such cell. */
export function recognizeCell(find: (part: string) => HostTensor | undefined): CellConfig {
  const down = find('mogrifier_1_down');
  if (down || find('mogrifier_1')) {
    let rounds = 1;
    while (find(`mogrifier_${rounds + 1}`) || find(`mogrifier_${rounds + 1}_down`)) rounds++;
    return { type: 'mogrifier-lstm', rounds, rank: down?.shape[0] ?? null };
  }
  const [packed = 0, hiddenSize = 0] = find('weight_hh')?.shape ?? [];
  return CELLS_BY_GATES.get(packed / hiddenSize) ?? { type: 'lstm' };
}

const LSTM_GATES = { gatelm: GATE_ORDER, pytorch: ['i', 'f', 'g', 'o'] } as const;

/** `nn.LSTM`. The one bias of a layer becomes `bias_ih`; two are summed, which is all that an LSTM sees of them. */
const PYTORCH_LSTM: PyTorchCell = {
  modules: ['lstm'],
  shapes: (inputSize, hiddenSize) => packedShapes(4, inputSize, hiddenSize),
  toPyTorch({ wx, wh, b }) {
    const bias = biasToPyTorch(b!, LSTM_GATES);
    return {
      weight_ih: gatesToPyTorch(wx!, LSTM_GATES),
      weight_hh: gatesToPyTorch(wh!, LSTM_GATES),
      bias_ih: bias,
      bias_hh: { ...bias, values: new Float32Array(bias.values.length) },
    };
  },
  fromPyTorch: ({ weight_ih, weight_hh, bias_ih, bias_hh }) => ({
    wx: gatesFromPyTorch(weight_ih!, LSTM_GATES),
    wh: gatesFromPyTorch(weight_hh!, LSTM_GATES),
    b: biasFromPyTorch(sumOfBiases(bias_ih!, bias_hh!), LSTM_GATES),
  }),
};

const GRU_GATES = { gatelm: GRU_GATE_ORDER, pytorch: ['r', 'z', 'n'] } as const;

/**
 * `nn.GRU`. Of the two biases those of r and z are summed; that of n has two parts in gatelm, too, because r acts on the
 * recurrent one alone.
 */
const PYTORCH_GRU: PyTorchCell = {
  modules: ['gru'],
  shapes: (inputSize, hiddenSize) => packedShapes(3, inputSize, hiddenSize),
  toPyTorch({ wx, wh, b }) {
    const hiddenSize = b!.values.length / 4;
    const shape = [3 * hiddenSize];
    const recurrent = new Float32Array(3 * hiddenSize);
    recurrent.set(b!.values.subarray(3 * hiddenSize), 2 * hiddenSize);
    return {
      weight_ih: gatesToPyTorch(wx!, GRU_GATES),
      weight_hh: gatesToPyTorch(wh!, GRU_GATES),
      bias_ih: { shape, values: b!.values.slice(0, 3 * hiddenSize) },
      bias_hh: { shape, values: recurrent },
    };
  },
  fromPyTorch({ weight_ih, weight_hh, bias_ih, bias_hh }) {
    const hiddenSize = bias_ih!.values.length / 3;
    const ofGates = new Float32Array(3 * hiddenSize);
    ofGates.set(bias_hh!.values.subarray(0, 2 * hiddenSize));
    const bias = new Float32Array(4 * hiddenSize);
    bias.set(sumOfBiases(bias_ih!, { shape: bias_hh!.shape, values: ofGates }).values);
    bias.set(bias_hh!.values.subarray(2 * hiddenSize), 3 * hiddenSize);
    return {
      wx: gatesFromPyTorch(weight_ih!, GRU_GATES),
      wh: gatesFromPyTorch(weight_hh!, GRU_GATES),
      b: { shape: [4 * hiddenSize], values: bias },
    };
  },
};

/**
 * PyTorch has no Mogrifier. Its LSTM has the names of `nn.LSTM`; beside them are the rounds as `nn.Linear` without a bias has
 * its weights: `mogrifier_1` [D, H], `mogrifier_2` [H, D], …, of low rank `mogrifier_1_down` [K, H] and `mogrifier_1_up` [D, K].
 */
function pytorchMogrifier(config: MogrifierOptions): PyTorchCell {
  const specsOf = (inputSize: number, hiddenSize: number) =>
    Object.entries(mogrifierLstm(config).weights(inputSize, hiddenSize)).filter(([name]) =>
      name.startsWith('q'),
    );
  const partOf = (name: string) => name.replace('q', 'mogrifier_');
  const names = specsOf(1, 1).map(([name]) => name);
  const mapped = (name: (of: string) => string, source: LayerTensors, key: (of: string) => string) =>
    Object.fromEntries(names.map((of) => [name(of), transpose(source[key(of)]!)]));
  return {
    modules: [],
    shapes: (inputSize, hiddenSize) => ({
      ...PYTORCH_LSTM.shapes(inputSize, hiddenSize),
      ...Object.fromEntries(
        specsOf(inputSize, hiddenSize).map(([name, { shape }]) => [partOf(name), shape.toReversed()]),
      ),
    }),
    toPyTorch: (weights) => ({
      ...PYTORCH_LSTM.toPyTorch(weights),
      ...mapped(partOf, weights, (name) => name),
    }),
    fromPyTorch: (tensors) => ({
      ...PYTORCH_LSTM.fromPyTorch(tensors),
      ...mapped((name) => name, tensors, partOf),
    }),
  };
}

function transpose({ shape, values }: HostTensor): HostTensor {
  const [rows, columns] = shape as [number, number];
  const transposed = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      transposed[column * rows + row] = values[row * columns + column]!;
  return { shape: [columns, rows], values: transposed };
}

/** The four tensors of a PyTorch layer with so many gates. */
function packedShapes(gates: number, inputSize: number, hiddenSize: number) {
  return {
    weight_ih: [gates * hiddenSize, inputSize],
    weight_hh: [gates * hiddenSize, hiddenSize],
    bias_ih: [gates * hiddenSize],
    bias_hh: [gates * hiddenSize],
  };
}

/** Other names of a layer, such as `lstm` and `lstms`; see {@link PyTorchCell.modules}. */
export const LAYER_MODULES: readonly string[] = [...CELLS_BY_GATES.values()].flatMap(
  (config) => pytorchCell(config).modules,
);
