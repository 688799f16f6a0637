/**
 * Between gatelm's packing of gates, along the columns of [D, G·H], and PyTorch's, along the rows of [G·H, D], in the cell's
 * order of gates on either side.
 */
import type { HostTensor } from './safetensors.js';

/** Orders in which the same gates are packed, by their letters. */
export interface GateOrders {
  readonly gatelm: readonly string[];
  readonly pytorch: readonly string[];
}

/** Weights of the gates, [D, G·H], as PyTorch has them, [G·H, D]. */
export function gatesToPyTorch({ shape, values }: HostTensor, orders: GateOrders): HostTensor {
  const [width, packed] = shape as [number, number];
  const columnOf = packedPositions(packed, orders.pytorch, orders.gatelm);
  const rows = new Float32Array(values.length);
  for (let row = 0; row < packed; row++) {
    for (let d = 0; d < width; d++) rows[row * width + d] = values[d * packed + columnOf[row]!]!;
  }
  return { shape: [packed, width], values: rows };
}

/** The reverse of {@link gatesToPyTorch}: [G·H, D] → [D, G·H]. */
export function gatesFromPyTorch({ shape, values }: HostTensor, orders: GateOrders): HostTensor {
  const [packed, width] = shape as [number, number];
  const columnOf = packedPositions(packed, orders.pytorch, orders.gatelm);
  const columns = new Float32Array(values.length);
  for (let row = 0; row < packed; row++) {
    for (let d = 0; d < width; d++) columns[d * packed + columnOf[row]!] = values[row * width + d]!;
  }
  return { shape: [width, packed], values: columns };
}

/** A bias [G·H] as PyTorch orders it. */
export function biasToPyTorch({ shape, values }: HostTensor, { gatelm, pytorch }: GateOrders): HostTensor {
  const from = packedPositions(values.length, pytorch, gatelm);
  return { shape, values: values.map((_, position) => values[from[position]!]!) };
}

/** The reverse of {@link biasToPyTorch}. */
export function biasFromPyTorch({ shape, values }: HostTensor, { gatelm, pytorch }: GateOrders): HostTensor {
  const from = packedPositions(values.length, gatelm, pytorch);
  return { shape, values: values.map((_, position) => values[from[position]!]!) };
}

/** The two biases that PyTorch adds, as one; an export of one alone comes back bit by bit, −0 included. */
export function sumOfBiases(input: HostTensor, recurrent: HostTensor): HostTensor {
  const values = input.values.map((value, index) => {
    const other = recurrent.values[index]!;
    return other === 0 ? value : value + other;
  });
  return { shape: input.shape, values };
}

/** For each of the G·H positions of `order`: where the same unit of the same gate stands in `other`. */
function packedPositions(packed: number, order: readonly string[], other: readonly string[]): Int32Array {
  const hiddenSize = packed / order.length;
  const positions = new Int32Array(packed);
  order.forEach((gate, index) => {
    const start = other.indexOf(gate) * hiddenSize;
    for (let unit = 0; unit < hiddenSize; unit++) positions[index * hiddenSize + unit] = start + unit;
  });
  return positions;
}
