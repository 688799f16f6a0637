/**
 * gatelm's own TensorFlow ops (native/), called through tfjs; native-kernels.ts implements the Kernels interface with them.
 *
 * Inputs are borrowed, outputs are owned by the caller. Ops that work in place say so.
 */
import { expectShape } from '../../tensor/shapes.js';
import * as tf from '../../tensor/tensorflow.js';
import { type IndexedRows, isIndexed } from '../indexed-rows.js';
import type { AdamInput, AdaptInput, SgdInput } from '../kernels.js';
import type { NativeAddon, NodeBackend } from './native-addon.js';
import {
  dimensions,
  expectLines,
  expectLstmGradientInput,
  expectLstmInput,
  expectLstmState,
  expectRows,
  expectSoftmaxInput,
  type LstmGradientInput,
  type LstmInput,
  type NextTokensInput,
  type PackedLstm,
  type PackedOutputInput,
  type SoftmaxInput,
} from './native-inputs.js';

/** The attributes of an op: the precision of its products, the lengths of its lists. */
type Attributes = Readonly<Record<string, boolean | number>>;
type Five = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

/** The ops of the addon, typed. */
export class NativeOps {
  readonly info: NativeAddon;
  readonly #backend: NodeBackend;
  /** The indices of inputs that have none. */
  readonly #noIndices = tf.keep(tf.tensor1d([], 'int32'));

  constructor(info: NativeAddon, backend: NodeBackend) {
    this.info = info;
    this.#backend = backend;
  }

  /** T steps of an LSTM. @returns hiddens [T, N, H], the state after the last step [N, H], and the cache */
  lstmForward(input: LstmInput & { readonly b: tf.Tensor }) {
    expectLstmInput(input, 'the native LSTM');
    const { x, hidden, cell, wx, wh, b, bf16 } = input;
    const inputs = [...this.source(x), hidden, cell, wx, wh, b];
    const outputs = this.run('GatelmLstm', inputs, 5, { bf16 }) as Five;
    const [hiddens, cells, gates, lastHidden, lastCell] = outputs;
    return { hiddens, hidden: lastHidden, cell: lastCell, cache: { gates, cells } };
  }

  /** The gradients of {@link lstmForward}; dHidden and dCell are those of the state before the first step. */
  lstmBackward(input: LstmGradientInput) {
    expectLstmGradientInput(input, 'the native LSTM');
    const { dHiddens, x, hidden, cell, wx, wh, hiddens, cache, bf16 } = input;
    const inputs = [dHiddens, ...this.source(x), hidden, cell, wx, wh, hiddens, cache.cells, cache.gates];
    const outputs = this.run('GatelmLstmGrad', inputs, 6, { bf16 }) as [...Five, tf.Tensor];
    const [dx, dWx, dWh, db, dHidden, dCell] = outputs;
    return { dx, dWx, dWh, db, dHidden, dCell };
  }

  /** The two inputs of an op that a source becomes: x and its indices. */
  source(x: tf.Tensor | IndexedRows): [tf.Tensor, tf.Tensor] {
    return isIndexed(x) ? [x.rows, x.indices] : [x, this.#noIndices];
  }

  /** Packs the weights of an LSTM for {@link lstmPacked}: once, for many calls. Opaque. */
  packLstm({ wx, wh, bf16 }: Pick<LstmInput, 'wx' | 'wh' | 'bf16'>): PackedLstm {
    const [packedWx, packedWh] = this.run('GatelmPackLstm', [wx, wh], 2, { bf16 });
    return { packedWx: packedWx!, packedWh: packedWh! };
  }

  /** {@link lstmForward} on packed weights, without values for the gradient. */
  lstmPacked(input: Omit<LstmInput, 'wx' | 'wh'> & PackedLstm & { readonly b: tf.Tensor }) {
    expectLstmState(input, 'the native LSTM');
    const { x, hidden, cell, packedWx, packedWh, b, bf16 } = input;
    const inputs = [...this.source(x), hidden, cell, packedWx, packedWh, b];
    const outputs = this.run('GatelmLstmPacked', inputs, 3, { bf16 }) as [tf.Tensor, tf.Tensor, tf.Tensor];
    return { hiddens: outputs[0], hidden: outputs[1], cell: outputs[2] };
  }

  /** Packs the output weights [V, H] for the two methods below. Opaque. */
  packOutput({ w, bf16 }: Pick<SoftmaxInput, 'w' | 'bf16'>): tf.Tensor {
    return this.run('GatelmPackOutput', [w], 1, { bf16 })[0]!;
  }

  /** h·wᵀ + b, [M, V]. @param input.h [M, H] or [T, N, H] */
  logitsPacked({ h, packed, b, bf16 }: PackedOutputInput): tf.Tensor {
    return this.run('GatelmLogitsPacked', [h, packed, b], 1, { bf16 })[0]!;
  }

  /**
   * A step of a whole model in one op: reads one token of each stream, and returns the likeliest next tokens by descending
   * logit, ties by ascending id: values [N, count], ids [N · count]. The states of the layers are updated in
   * place.
   */
  nextTokens(input: NextTokensInput) {
    const { ids, count, embedding, layers, output, bf16 } = input;
    dimensions(embedding, 'V, D', 'the native step');
    return tf.tidy(() => {
      const inputs = [
        ...[ids, tf.tensor1d([count], 'int32'), embedding, output.packed, output.b],
        ...layers.map(({ hidden }) => hidden),
        ...layers.map(({ cell }) => cell),
        ...layers.map(({ packedWx }) => packedWx),
        ...layers.map(({ packedWh }) => packedWh),
        ...layers.map(({ b }) => b),
      ];
      const outputs = this.run('GatelmNextTokens', inputs, 2, { bf16, N: layers.length });
      const [values, top] = outputs as [tf.Tensor, tf.Tensor];
      return { values, ids: top };
    });
  }

  /** {@link softmaxLoss} on packed weights. */
  softmaxLossPacked({
    h,
    packed,
    b,
    targets,
    bf16,
  }: PackedOutputInput & Pick<SoftmaxInput, 'targets'>): tf.Tensor {
    expectLines(h, targets, 'the native output layer');
    return this.run('GatelmSoftmaxLossPacked', [h, packed, b, targets], 1, { bf16 })[0]!;
  }

  /** −ln softmax(h·wᵀ + b) at the targets, [M], in nats. */
  softmaxLoss(input: SoftmaxInput): tf.Tensor {
    expectSoftmaxInput(input, 'the native output layer');
    const { h, w, b, targets, bf16 } = input;
    return this.run('GatelmSoftmaxLoss', [h, w, b, targets], 1, { bf16 })[0]!;
  }

  /** The losses and the gradients of Σ losses · scale. */
  softmaxLossBackward(input: SoftmaxInput & { readonly scale: number }) {
    expectSoftmaxInput(input, 'the native output layer');
    const { h, w, b, targets, scale, bf16 } = input;
    return tf.tidy(() => {
      const inputs = [h, w, b, targets, tf.tensor1d([scale])];
      const outputs = this.run('GatelmSoftmaxLossGrad', inputs, 4, { bf16 });
      const [losses, dh, dw, db] = outputs as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      return { losses, dh, dw, db };
    });
  }

  /**
   * x ⊙ mask / (1 − rate); the mask is computed as in src/tensor/random.ts and repeats after `period` elements.
   * @param key seed, stream, counter low, counter high
   */
  dropout(input: {
    readonly x: tf.Tensor;
    readonly key: readonly [number, number, number, number];
    readonly rate: number;
    readonly period: number;
  }): tf.Tensor {
    const { x, key, rate, period } = input;
    return tf.tidy(() => {
      const threshold = Math.ceil(rate * 2 ** 32); // integers below it are less than rate · 2³²
      const words = tf.tensor1d(Int32Array.from([...key, threshold, period]), 'int32');
      return this.run('GatelmDropout', [x, words, tf.tensor1d([1 / (1 - rate)])], 1)[0]!;
    });
  }

  /** table[ids], [S, D] for ids of any shape S. */
  rows({ table, ids }: { readonly table: tf.Tensor; readonly ids: tf.Tensor }): tf.Tensor {
    dimensions(table, 'V, D', 'the native lookup of rows');
    return this.run('GatelmRows', [table, ids], 1)[0]!;
  }

  /**
   * Sums the rows of equal ids; ids [U] keep the order of first appearance, rows [U, D].
   * @param input.ids [M] @param input.rows [M, D] or [T, N, D]
   */
  coalesceRows({ ids, rows }: { readonly ids: tf.Tensor; readonly rows: tf.Tensor }) {
    expectLines(rows, ids, 'the native sum of rows');
    const [uniqueIds, sums] = this.run('GatelmCoalesceRows', [ids, rows], 2) as [tf.Tensor, tf.Tensor];
    return { ids: uniqueIds, rows: sums };
  }

  /** table[ids[m]] += rows[m] · factor, in place. */
  scatterAddRows(input: {
    readonly table: tf.Tensor;
    readonly ids: tf.Tensor;
    readonly rows: tf.Tensor;
    readonly factor?: number;
  }): void {
    const { table, ids, rows, factor = 1 } = input;
    const [, width] = dimensions(table, 'V, D', 'the native sum of rows');
    expectRows({ ids, rows, width: width! }, 'the native sum of rows');
    this.#runInPlace('GatelmAddRows', () => [table, ids, rows, tf.tensor1d([factor])]);
  }

  /** Σ x² of each tensor, [N]; summed in double precision, in an order that does not depend on the number of threads. */
  sumSquares(xs: readonly tf.Tensor[]): tf.Tensor {
    return this.run('GatelmSumSquares', [...xs], 1, { N: xs.length })[0]!;
  }

  /**
   * value −= learningRate · (gradient · gradientScale + weightDecay · value) for each tensor, and its average if there
   * is one. In place.
   */
  sgd(input: SgdInput): void {
    const { updates, learningRate, gradientScale, weightDecay, averageCoefficient = 0 } = input;
    for (const { value, gradient, average } of updates) {
      for (const tensor of [gradient, average ?? value])
        expectShape(tensor, value.shape, 'as the value', 'the native update');
    }
    const averages = updates.flatMap(({ average }) => average ?? []);
    this.#runInPlace(
      'GatelmSgd',
      () => [
        ...updates.map(({ value }) => value),
        ...updates.map(({ gradient }) => gradient),
        ...averages,
        tf.tensor1d([learningRate, gradientScale, weightDecay, averageCoefficient]),
      ],
      { N: updates.length, A: averages.length },
    );
  }

  /**
   * One update of dynamic evaluation, value in place; see src/evaluation/dynamic-evaluation.ts.
   * @param input.gradient null = zeros @param input.roots null = plain SGD @param input.decay divided by mean(R) with roots
   */
  adapt(input: Omit<AdaptInput, 'gradient'> & { readonly gradient: tf.Tensor | null }): void {
    const { value, trained, gradient, roots, learningRate, decay, epsilon } = input;
    for (const tensor of [trained, gradient ?? value, roots ?? value]) {
      expectShape(tensor, value.shape, 'as the value', 'the native update');
    }
    this.#runInPlace('GatelmAdapt', () => [
      value,
      trained,
      gradient ?? tf.tensor1d([]),
      roots ?? tf.tensor1d([]),
      tf.tensor1d([learningRate, decay, epsilon]),
    ]);
  }

  /** One step of Adam or AdamW; value, m and v in place. */
  adam(input: AdamInput): void {
    const s = input;
    for (const tensor of [s.m, s.v, s.gradient]) {
      expectShape(tensor, s.value.shape, 'as the value', 'the native update');
    }
    const scalars = [
      ...[s.learningRate, s.gradientScale, s.beta1, s.beta2, s.epsilon, s.weightDecay],
      ...[s.decoupled ? 1 : 0, s.correction1, s.correction2],
    ];
    this.#runInPlace('GatelmAdam', () => [s.value, s.m, s.v, s.gradient, tf.tensor1d(scalars)]);
  }

  /** Runs an op by name; the caller is responsible for its inputs. */
  run(name: string, inputs: tf.Tensor[], outputs: number, attributes: Attributes = {}): tf.Tensor[] {
    const { TF_ATTR_BOOL, TF_ATTR_INT } = this.#backend.binding;
    const attrs = Object.entries(attributes).map(([key, value]) => ({
      name: key,
      type: typeof value === 'boolean' ? TF_ATTR_BOOL : TF_ATTR_INT,
      value,
    }));
    return this.#backend.executeMultipleOutputs(name, attrs, inputs, outputs);
  }

  #runInPlace(name: string, inputs: () => tf.Tensor[], attributes: Attributes = {}): void {
    tf.tidy(() => {
      this.run(name, inputs(), 1, attributes);
    });
  }
}
