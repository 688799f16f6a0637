/** What PyTorch has of each cell: the tensors of a layer, and how they follow from gatelm's. */
import type { CellConfig } from '../contracts/model.js';
import { GATE_ORDER } from '../layers/lstm-cell.js';
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
    default:
      return config.type satisfies never;
  }
}

/** Those that have a module of their own in PyTorch, by how often H their packed gates are. */
const CELLS_BY_GATES: ReadonlyMap<number, CellConfig> = new Map([[4, { type: 'lstm' }]]);

/** The cell whose recurrent weights these are, [G·H, H]; an LSTM where there is no such cell. */
export function recognizeCell(recurrentWeights: HostTensor | undefined): CellConfig {
  const [packed = 0, hiddenSize = 0] = recurrentWeights?.shape ?? [];
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
