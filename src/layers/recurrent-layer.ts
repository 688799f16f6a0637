import { appError } from '../errors.js';
import type { CellKernels, CellRun, Tensors } from '../kernels/cell.js';
import { type CellSource, isIndexed, sourceShape, sourceTensors } from '../kernels/indexed-rows.js';
import type { Kernels, LayerStep } from '../kernels/kernels.js';
import type { RandomKey, RandomSource } from '../tensor/random.js';
import { expectShape } from '../tensor/shapes.js';
import * as tf from '../tensor/tensorflow.js';
import type { Layer } from './layer.js';
import { PackedWeights } from './packed-weights.js';
import type { Parameter } from './parameter.js';
import type { RecurrentCell } from './recurrent-cell.js';

export interface RecurrentLayerOptions {
  readonly kernels: Kernels;
  /** Probability of dropping an element of the recurrent weights, one mask for all steps of a batch (weight drop). */
  readonly weightDrop: number;
  readonly random: RandomSource;
  /** Compute the large products in bfloat16. */
  readonly bfloat16: boolean;
}

/** The state of a layer, by the cell's names, [N, H] each. */
export type LayerState = Readonly<Record<string, tf.Tensor2D>>;

/** What backward needs of forward. */
interface LayerCache {
  readonly x: CellSource;
  readonly initial: LayerState;
  readonly hiddens: tf.Tensor3D; // [T, N, H]
  readonly saved: Tensors;
  /** Masked weights, and the keys of their masks. */
  readonly masked: Tensors;
  readonly keys: Readonly<Record<string, RandomKey>>;
}

/**
 * T steps of a recurrent cell that continues from its last state: truncated backpropagation through time.
 *
 *     state_t = cell(x_t, state_t-1)      see recurrent-cell.ts and the cells, such as time-lstm.ts
 *
 * x: [T, N, D]; output: [T, N, H]. The state carries over from call to call, its gradient does not.
 *
 * References: Saitoh, Deep Learning from Scratch 2, section 6.3.1; weight drop: Merity et al. 2017, arXiv 1708.02182.
 */
export class RecurrentLayer implements Layer {
  readonly name: string;
  readonly cell: RecurrentCell;
  /** By the cell's names. */
  readonly weights: Readonly<Record<string, Parameter>>;
  readonly hiddenSize: number;
  readonly options: RecurrentLayerOptions;
  readonly #inputSize: number;
  readonly #kernels: CellKernels;
  readonly #packed: PackedWeights<Tensors>;
  #state: LayerState | null = null;
  #cache: LayerCache | null = null;

  /** @param weights by the cell's names @param sizes D and H */
  constructor(
    name: string,
    cell: RecurrentCell,
    weights: Readonly<Record<string, Parameter>>,
    sizes: { readonly inputSize: number; readonly hiddenSize: number },
    options: RecurrentLayerOptions,
  ) {
    const { inputSize, hiddenSize } = sizes;
    for (const [weight, { shape }] of Object.entries(cell.weights(inputSize, hiddenSize)))
      expectShape(weights[weight]!.value, shape, weight, `RecurrentLayer "${name}"`);
    this.name = name;
    this.cell = cell;
    this.weights = weights;
    this.hiddenSize = hiddenSize;
    this.options = options;
    this.#inputSize = inputSize;
    this.#kernels = options.kernels.cell(cell);
    this.#packed = new PackedWeights(this.parameters, () =>
      this.#kernels.pack(this.#values(), options.bfloat16),
    );
  }

  get parameters(): readonly Parameter[] {
    return Object.values(this.weights);
  }

  /** Whether a stream is bitwise identical whatever other streams are in the batch. */
  get rowsAreIndependent(): boolean {
    return this.#kernels.rowsAreIndependent;
  }

  /** Takes the state out of the layer; owned by the caller; null when there is none. */
  takeState(): LayerState | null {
    const state = this.#state;
    this.#state = null;
    return state;
  }

  /** Sets the state; takes ownership; null = zeros. */
  putState(state: LayerState | null): void {
    if (state === this.#state) return; // changed in place
    const old = Object.values(this.#state ?? {});
    const next = Object.values(state ?? {});
    for (const tensor of old) if (!next.includes(tensor)) tensor.dispose();
    for (const tensor of next) tf.keep(tensor);
    this.#state = state;
  }

  /** The initial state; owned by the caller. */
  emptyState(batchSize: number): LayerState {
    const zeros = () => tf.zeros<tf.Rank.R2>([batchSize, this.hiddenSize]);
    return Object.fromEntries(this.cell.stateParts.map((part) => [part, zeros()]));
  }

  /** @param x [T, N, D], or rows that steps share @returns [T, N, H] */
  forward(x: CellSource, training: boolean): tf.Tensor3D {
    const initial = this.#begin(x);
    if (training) return this.#forwardForTraining(x, initial);
    const { hiddens, state } = tf.tidy(() => {
      const run = this.#kernels.infer({
        ...{ x, state: initial, weights: this.#values(), bf16: this.options.bfloat16 },
        packed: this.#packed.get(),
      });
      return { hiddens: run.hiddens, state: keepAll(run.state) };
    });
    this.putState(state as LayerState);
    return hiddens;
  }

  /** This layer for the kernel of a whole step of N streams; borrowed. Pass the state after it to {@link putState}. */
  step(batchSize: number): LayerStep {
    if (!this.#state) this.putState(this.emptyState(batchSize));
    return {
      cell: this.#kernels,
      state: this.#state!,
      weights: this.#values(),
      packed: this.#packed.get(),
    };
  }

  /**
   * {@link forward} without dropout, also returns the channels of the cell at each step.
   *
   * Ablated units output 0: hidden_t ⊙ mask is the input of the next layer, and of the cell at the next step, as
   * (hidden ⊙ mask)·W = hidden·(W with those rows 0). The activations of ablated units are still reported.
   * @param x [T, N, D]
   * @param ablated units, counted from 0
   * @returns the output, and the cell's channels by name, [T, N, H] each; the output may be one of them
   */
  inspect(
    x: tf.Tensor3D,
    ablated: readonly number[] = [],
  ): { hiddens: tf.Tensor3D; channels: Readonly<Record<string, tf.Tensor3D>> } {
    const initial = this.#begin(x);
    const { hiddens, channels, state } = tf.tidy(() => {
      const bf16 = this.options.bfloat16;
      const mask = maskOf(ablated, this.hiddenSize);
      const weights = this.#without(mask);
      const run = this.#kernels.forward({ x, state: initial, weights, bf16 });
      const hiddens = mask ? tf.mul<tf.Tensor3D>(run.hiddens, mask) : run.hiddens;
      return { hiddens, channels: this.cell.channels({ ...run, hiddens }), state: keepAll(run.state) };
    });
    this.putState(state as LayerState);
    return { hiddens, channels };
  }

  /** @param dOutput [T, N, H] @returns [T, N, D], or [R, D] of rows that steps share */
  backward(dOutput: tf.Tensor): tf.Tensor {
    const cache = this.#cache;
    if (!cache) throw appError('internal', { reference: `${this.name}: backward before forward` });
    const { kernels, weightDrop, bfloat16: bf16 } = this.options;
    const { x, initial, hiddens, saved, masked, keys } = cache;
    expectShape(dOutput, hiddens.shape, 'T, N, H', this.#where);
    const { dx, dWeights } = tf.tidy(() => {
      const weights = { ...this.#values(), ...masked };
      const dHiddens = dOutput as tf.Tensor3D;
      const run = { x, state: initial, weights, bf16, dHiddens, hiddens, saved };
      const gradients = this.#kernels.backward(run);
      const dropped = Object.entries(keys).map(([weight, key]) => {
        const dWeight = gradients.dWeights[weight]!;
        return [weight, kernels.dropout({ x: dWeight, rate: weightDrop, key, period: dWeight.size })];
      });
      return { dx: gradients.dx, dWeights: { ...gradients.dWeights, ...Object.fromEntries(dropped) } };
    });
    for (const [weight, parameter] of Object.entries(this.weights)) parameter.accumulate(dWeights[weight]!);
    this.#disposeCache();
    return dx;
  }

  dispose(): void {
    this.#disposeCache();
    this.#packed.dispose();
    this.putState(null);
  }

  get #where(): string {
    return `RecurrentLayer "${this.name}"`;
  }

  #values(): Tensors {
    const values: Record<string, tf.Tensor> = {};
    for (const weight in this.weights) values[weight] = this.weights[weight]!.value; // in each step of a generation
    return values;
  }

  /** The weights, with zero rows for masked units in those that read the hidden vector. @param mask [H] */
  #without(mask: tf.Tensor1D | null): Tensors {
    const values = this.#values();
    if (!mask) return values;
    const rows = tf.expandDims(mask, 1); // [H, 1]
    const masked = this.cell.hiddenReaders.map((weight) => [weight, tf.mul(values[weight]!, rows)]);
    return { ...values, ...Object.fromEntries(masked) };
  }

  /** @returns the state to start from, owned by the layer */
  #begin(x: CellSource): LayerState {
    const [time, batchSize] = sourceShape(x);
    if (isIndexed(x)) expectShape(x.rows, [x.rows.shape[0], this.#inputSize], 'R, D', this.#where);
    else expectShape(x, [time, batchSize, this.#inputSize], 'T, N, D', this.#where);
    if (!this.#state) this.putState(this.emptyState(batchSize));
    for (const tensor of Object.values(this.#state!))
      expectShape(tensor, [batchSize, this.hiddenSize], 'N, H', `the state of ${this.#where}`);
    return this.#state!;
  }

  /** Keeps what backward needs, including the previous state. */
  #forwardForTraining(x: CellSource, initial: LayerState): tf.Tensor3D {
    const { bfloat16: bf16 } = this.options;
    this.#packed.dispose();
    this.#disposeCache();
    const keys = this.#drawKeys();
    const { kept, state, output } = tf.tidy(() => {
      const masked = this.#mask(keys);
      const weights = { ...this.#values(), ...masked };
      const run: CellRun = this.#kernels.forward({ x, state: initial, weights, bf16 });
      const kept = {
        x: keepSource(x),
        hiddens: run.hiddens,
        saved: keepAll(run.saved),
        masked: keepAll(masked),
      };
      tf.keep(kept.hiddens);
      return { kept, state: keepAll(run.state), output: run.hiddens.clone() };
    });
    this.takeState(); // now owned by the cache
    this.#cache = { ...kept, initial, keys };
    this.putState(state as LayerState);
    return output;
  }

  #drawKeys(): Record<string, RandomKey> {
    const { weightDrop, random } = this.options;
    if (weightDrop === 0) return {};
    return Object.fromEntries(this.cell.recurrentWeights.map((weight) => [weight, random.next()]));
  }

  #mask(keys: Readonly<Record<string, RandomKey>>): Tensors {
    const { kernels, weightDrop: rate } = this.options;
    const masked = Object.entries(keys).map(([weight, key]) => {
      const x = this.weights[weight]!.value;
      return [weight, kernels.dropout({ x, rate, key, period: x.size })];
    });
    return Object.fromEntries(masked);
  }

  #disposeCache(): void {
    if (!this.#cache) return;
    const { x, initial, hiddens, saved, masked } = this.#cache;
    tf.dispose([...sourceTensors(x), hiddens]);
    for (const tensors of [initial, saved, masked]) tf.dispose(Object.values(tensors));
    this.#cache = null;
  }
}

/** Ones, with zeros for ablated units, [H]; null without ablated units. */
function maskOf(ablated: readonly number[], hiddenSize: number): tf.Tensor1D | null {
  if (ablated.length === 0) return null;
  const mask = new Float32Array(hiddenSize).fill(1);
  for (const unit of ablated) mask[unit] = 0;
  return tf.tensor1d(mask);
}

/** A copy that is kept beyond the surrounding tidy. */
function keepSource(x: CellSource): CellSource {
  if (!isIndexed(x)) return tf.keep(x.clone());
  return { rows: tf.keep(x.rows.clone()), indices: tf.keep(x.indices.clone()) };
}

/** Keeps tensors beyond the surrounding tidy. */
function keepAll<All extends Tensors>(tensors: All): All {
  for (const tensor of Object.values(tensors)) tf.keep(tensor);
  return tensors;
}
