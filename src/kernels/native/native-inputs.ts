/** Inputs of the native kernels, with checks of their shapes. T time, N batch, D input, H hidden, V vocabulary, M rows. */
import { appError } from '../../errors.js';
import { expectShape } from '../../tensor/shapes.js';
import type { Tensor } from '../../tensor/tensorflow.js';
import type { CellGradientInput, CellInput, FromSource } from '../cell.js';
import { type IndexedRows, isIndexed, sourceShape } from '../indexed-rows.js';

export interface LstmInput {
  /** [T, N, D], or rows that steps share. */
  readonly x: Tensor | IndexedRows;
  readonly hidden: Tensor; // [N, H]
  readonly cell: Tensor; // [N, H]
  readonly wx: Tensor; // [D, 4H]
  readonly wh: Tensor; // [H, 4H]
  /** Compute the large products in bfloat16. */
  readonly bf16: boolean;
}

/** Values of one LSTM run that its gradient needs: gates [T, N, 4H] after their nonlinearities, cells [T, N, H]. */
export interface LstmKernelCache {
  readonly gates: Tensor;
  readonly cells: Tensor;
}

export interface LstmGradientInput extends LstmInput {
  readonly dHiddens: Tensor; // [T, N, H]
  readonly hiddens: Tensor; // [T, N, H]
  readonly cache: LstmKernelCache;
}

export interface SoftmaxInput {
  readonly h: Tensor; // [M, H] or [T, N, H]
  readonly w: Tensor; // [V, H]
  readonly b: Tensor; // [V]
  readonly targets: Tensor; // int32 [M]
  readonly bf16: boolean;
}

/** Weights in the layout of NativeOps.packLstm; flat, opaque. */
export type PackedLstm = {
  readonly packedWx: Tensor;
  readonly packedWh: Tensor;
};

export interface PackedOutputInput {
  readonly h: Tensor; // [M, H] or [T, N, H]
  readonly packed: Tensor;
  readonly b: Tensor; // [V]
  readonly bf16: boolean;
}

/** An LSTM layer on packed weights, with its state. */
export type PackedLayer = PackedLstm & {
  readonly hidden: Tensor; // [N, H]
  readonly cell: Tensor; // [N, H]
  readonly b: Tensor; // [4H]
};

export interface NextTokensInput {
  readonly ids: Tensor; // int32 [N]
  /** Number of tokens per stream. */
  readonly count: number;
  readonly embedding: Tensor; // [V, D]
  /** The first layer reads the embedding. */
  readonly layers: readonly PackedLayer[];
  readonly output: { readonly packed: Tensor; readonly b: Tensor };
  readonly bf16: boolean;
}

/** @throws shape-mismatch */
export function expectLstmState(
  { x, hidden, cell }: Pick<LstmInput, 'x' | 'hidden' | 'cell'>,
  where: string,
) {
  const [, batchSize] = expectSource(x, where);
  const [, hiddenSize] = dimensions(hidden, 'N, H', where);
  expectShape(hidden, [batchSize!, hiddenSize!], 'N, H', where);
  expectShape(cell, [batchSize!, hiddenSize!], 'N, H', where);
  return { hiddenSize: hiddenSize! };
}

/** @throws shape-mismatch */
export function expectLstmInput(input: LstmInput & { readonly b?: Tensor }, where: string): void {
  const { hiddenSize } = expectLstmState(input, where);
  expectShape(input.wx, [sourceShape(input.x)[2], 4 * hiddenSize], 'D, 4H', where);
  expectShape(input.wh, [hiddenSize, 4 * hiddenSize], 'H, 4H', where);
  if (input.b) expectShape(input.b, [4 * hiddenSize], '4H', where);
}

/** @throws shape-mismatch */
export function expectLstmGradientInput(input: LstmGradientInput, where: string): void {
  expectLstmInput(input, where);
  const [time, batchSize] = sourceShape(input.x);
  const hiddenSize = input.hidden.shape[1]!;
  for (const tensor of [input.dHiddens, input.hiddens, input.cache.cells]) {
    expectShape(tensor, [time, batchSize, hiddenSize], 'T, N, H', where);
  }
  expectShape(input.cache.gates, [time, batchSize, 4 * hiddenSize], 'T, N, 4H', where);
}

/** A cell whose weights are wx [D, G·H], wh [H, G·H] and b [4H]. @throws shape-mismatch */
export function expectRunInput(
  { x, state, weights }: FromSource<CellInput>,
  gates: number,
  where: string,
): void {
  const { wx, wh, b } = weights;
  expectPackedInput({ x, state }, where);
  const hiddenSize = state.hidden!.shape[1]!;
  expectShape(wx!, [sourceShape(x)[2], gates * hiddenSize], `D, ${gates}H`, where);
  expectShape(wh!, [hiddenSize, gates * hiddenSize], `H, ${gates}H`, where);
  expectShape(b!, [4 * hiddenSize], '4H', where);
}

/** @throws shape-mismatch */
export function expectGradientInput(
  input: FromSource<CellGradientInput>,
  gates: number,
  where: string,
): void {
  expectRunInput(input, gates, where);
  const [time, batchSize] = sourceShape(input.x);
  const shape = [time, batchSize, input.state.hidden!.shape[1]!];
  for (const tensor of [input.dHiddens, input.hiddens]) expectShape(tensor, shape, 'T, N, H', where);
}

/** @throws shape-mismatch */
export function expectPackedInput(
  { x, state }: Pick<FromSource<CellInput>, 'x' | 'state'>,
  where: string,
): void {
  const [, batchSize] = expectSource(x, where);
  for (const part of Object.values(state)) {
    dimensions(part, 'N, H', where);
    expectShape(part, [batchSize!, state.hidden!.shape[1]!], 'N, H', where);
  }
}

/** @throws shape-mismatch */
export function expectSoftmaxInput({ h, w, b, targets }: SoftmaxInput, where: string): void {
  const [vocabularySize] = dimensions(w, 'V, H', where);
  expectShape(w, [vocabularySize!, h.shape.at(-1)!], 'V, H', where);
  expectShape(b, [vocabularySize!], 'V', where);
  expectLines(h, targets, where);
}

/** @param x [M, D] or [T, N, D] @param one [M]: one value per row @throws shape-mismatch */
export function expectLines(x: Tensor, one: Tensor, where: string): void {
  const width = x.shape.at(-1)!;
  expectShape(one, [x.rank < 2 ? 0 : x.size / width], 'M', where);
}

/** @throws shape-mismatch */
export function expectRows(table: { ids: Tensor; rows: Tensor; width?: number }, where: string): void {
  const [count, width] = dimensions(table.rows, 'M, D', where);
  expectShape(table.rows, [count!, table.width ?? width!], 'M, D', where);
  expectShape(table.ids, [count!], 'M', where);
}

/** @returns T, N and D @throws shape-mismatch */
function expectSource(x: Tensor | IndexedRows, where: string): [number, number, number] {
  if (!isIndexed(x)) return dimensions(x, 'T, N, D', where) as [number, number, number];
  dimensions(x.rows, 'R, D', where);
  dimensions(x.indices, 'T, N', where);
  return sourceShape(x);
}

/** The sizes of a tensor of the rank of the legend. @throws shape-mismatch */
export function dimensions(tensor: Tensor, legend: string, where: string): number[] {
  const { shape } = tensor;
  if (shape.length === legend.split(', ').length) return shape;
  throw appError('shape-mismatch', { expected: `[${legend}]`, actual: `[${shape.join(', ')}]`, where });
}
