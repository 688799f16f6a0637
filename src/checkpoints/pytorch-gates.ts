/**
 * The one place where gatelm's packing of an LSTM's gates meets PyTorch's. gatelm packs the gates f, g, i, o along the
 * columns of [D, 4H]; PyTorch packs i, f, g, o along the rows of [4H, D].
 */
import { GATE_ORDER } from '../layers/lstm-cell.js';
import type { HostTensor } from './safetensors.js';

type Gate = (typeof GATE_ORDER)[number];

/** The order in which PyTorch packs the gates along 4H: input, forget, candidate, output. */
export const PYTORCH_GATE_ORDER: readonly Gate[] = ['i', 'f', 'g', 'o'];

/** Weights of the four gates, [D, 4H], as PyTorch has them, [4H, D]. */
export function gatesToPyTorch({ shape, values }: HostTensor): HostTensor {
  const [width, packed] = shape as [number, number];
  const columnOf = packedPositions(packed, PYTORCH_GATE_ORDER, GATE_ORDER);
  const rows = new Float32Array(values.length);
  for (let row = 0; row < packed; row++) {
    for (let d = 0; d < width; d++) rows[row * width + d] = values[d * packed + columnOf[row]!]!;
  }
  return { shape: [packed, width], values: rows };
}

/** The reverse of {@link gatesToPyTorch}: [4H, D] → [D, 4H]. */
export function gatesFromPyTorch({ shape, values }: HostTensor): HostTensor {
  const [packed, width] = shape as [number, number];
  const columnOf = packedPositions(packed, PYTORCH_GATE_ORDER, GATE_ORDER);
  const columns = new Float32Array(values.length);
  for (let row = 0; row < packed; row++) {
    for (let d = 0; d < width; d++) columns[d * packed + columnOf[row]!] = values[row * width + d]!;
  }
  return { shape: [width, packed], values: columns };
}

/** A bias [4H] as PyTorch orders it. */
export function biasToPyTorch({ shape, values }: HostTensor): HostTensor {
  const from = packedPositions(values.length, PYTORCH_GATE_ORDER, GATE_ORDER);
  return { shape, values: values.map((_, position) => values[from[position]!]!) };
}

/** The reverse of {@link biasToPyTorch}. */
export function biasFromPyTorch({ shape, values }: HostTensor): HostTensor {
  const from = packedPositions(values.length, GATE_ORDER, PYTORCH_GATE_ORDER);
  return { shape, values: values.map((_, position) => values[from[position]!]!) };
}

/** For each of the 4H positions of `order`: where the same unit of the same gate stands in `other`. */
function packedPositions(packed: number, order: readonly Gate[], other: readonly Gate[]): Int32Array {
  const hiddenSize = packed / order.length;
  const positions = new Int32Array(packed);
  order.forEach((gate, index) => {
    const start = other.indexOf(gate) * hiddenSize;
    for (let unit = 0; unit < hiddenSize; unit++) positions[index * hiddenSize + unit] = start + unit;
  });
  return positions;
}
