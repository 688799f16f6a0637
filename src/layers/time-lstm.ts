import { appError } from '../errors.js';
import { fusedKernels } from '../tensor/backend.js';
import { matMul } from '../tensor/mat-mul.js';
import type { NativeKernels, PackedLstm } from '../tensor/native-kernels.js';
import type { RandomKey, RandomSource } from '../tensor/random.js';
import { expectShape } from '../tensor/shapes.js';
import * as tf from '../tensor/tensorflow.js';
import { drop } from './dropout.js';
import type { TensorLayer } from './layer.js';
import { lstmCellBackward, lstmCellForward } from './lstm-cell.js';
import { disposeLstmState, type LstmState, zeroLstmState } from './lstm-state.js';
import { PackedWeights } from './packed-weights.js';
import type { Parameter } from './parameter.js';

export interface TimeLstmOptions {
  /** Probability of dropping an element of Wh, one mask for all steps of a batch (weight drop). */
  readonly weightDrop: number;
  readonly random: RandomSource;
  /** Make the large products in bfloat16. */
  readonly bfloat16: boolean;
}

/** What forward leaves for backward. The fused and the composed path leave the same. */
interface LstmCache {
  readonly x: tf.Tensor3D; // [T, N, D]
  readonly initial: LstmState;
  readonly wh: tf.Tensor2D; // [H, 4H], masked
  readonly dropKey: RandomKey | null;
  readonly hiddens: tf.Tensor3D; // [T, N, H]
  readonly gates: tf.Tensor3D; // [T, N, 4H]
  readonly cells: tf.Tensor3D; // [T, N, H]
}

/**
 * T steps of an LSTM that goes on from where it stopped: truncated backpropagation through time.
 *
 *     hidden_t, cell_t = LSTM(x_t, hidden_t-1, cell_t-1)      see lstm-cell.ts
 *
 * x: [T, N, D]; output: [T, N, H]; Wx: [D, 4H]; Wh: [H, 4H]; b: [4H]; gates in the order f, g, i, o. The state flows on
 * from call to call, its gradient does not. x·Wx of all steps is one product, and so are dWx, dWh and dx.
 *
 * References: Saitoh, Deep Learning from Scratch 2, section 6.3.2; weight drop: Merity et al. 2017, arXiv 1708.02182.
 */
export class TimeLstm implements TensorLayer {
  readonly name: string;
  readonly wx: Parameter;
  readonly wh: Parameter;
  readonly b: Parameter;
  readonly options: TimeLstmOptions;
  #state: LstmState | null = null;
  #cache: LstmCache | null = null;
  readonly #packed: PackedWeights<PackedLstm>;

  /** @param wx [D, 4H] @param wh [H, 4H] @param b [4H] */
  constructor(name: string, wx: Parameter, wh: Parameter, b: Parameter, options: TimeLstmOptions) {
    const hiddenSize = wh.shape[0]!;
    const where = `TimeLstm "${name}"`;
    expectShape(wx.value, [wx.shape[0]!, 4 * hiddenSize], 'D, 4H', where);
    expectShape(wh.value, [hiddenSize, 4 * hiddenSize], 'H, 4H', where);
    expectShape(b.value, [4 * hiddenSize], '4H', where);
    this.name = name;
    this.wx = wx;
    this.wh = wh;
    this.b = b;
    this.options = options;
    this.#packed = new PackedWeights([wx, wh], () =>
      fusedKernels()!.packLstm({ wx: wx.value, wh: wh.value, bf16: options.bfloat16 }),
    );
  }

  get parameters(): readonly Parameter[] {
    return [this.wx, this.wh, this.b];
  }

  /** Width H of the hidden state. */
  get hiddenSize(): number {
    return this.wh.shape[0]!;
  }

  /** Gives the state to the caller and forgets it; null when there is none yet. */
  takeState(): LstmState | null {
    const state = this.#state;
    this.#state = null;
    return state;
  }

  /** Goes on from this state, which becomes the layer's own; null = from zeros. */
  putState(state: LstmState | null): void {
    disposeLstmState(this.#state);
    if (state) {
      tf.keep(state.hidden);
      tf.keep(state.cell);
    }
    this.#state = state;
  }

  /** @param x [T, N, D] @returns [T, N, H] */
  forward(x: tf.Tensor3D, training: boolean): tf.Tensor3D {
    const [time, batchSize] = x.shape;
    expectShape(x, [time, batchSize, this.wx.shape[0]!], 'T, N, D', `TimeLstm "${this.name}"`);
    const initial = this.#state ?? zeroLstmState(batchSize, this.hiddenSize);
    expectShape(initial.hidden, [batchSize, this.hiddenSize], 'N, H', `the state of TimeLstm "${this.name}"`);
    const kernels = fusedKernels();
    if (training) return this.#forwardForTraining(x, initial);
    const run = tf.tidy(() => {
      const run = kernels
        ? this.#forwardPacked(kernels, x, initial)
        : unrollForward(x, initial, this.wx.value, this.wh.value as tf.Tensor2D, this.b.value, false);
      return { hiddens: run.hiddens, hidden: tf.keep(run.hidden), cell: tf.keep(run.cell) };
    });
    disposeLstmState(initial);
    this.#state = run as LstmState;
    return run.hiddens as tf.Tensor3D;
  }

  /** What the kernels want of this layer beside its state, see PackedLayer; borrowed. */
  packed(): PackedLstm & { readonly b: tf.Tensor } {
    return { ...this.#packed.get(), b: this.b.value };
  }

  /**
   * {@link forward} without dropout, with what it leaves behind at each step.
   * @param x [T, N, D]
   * @returns hiddens and cells, [T, N, H]; gates after their nonlinearities, [T, N, 4H]
   */
  inspect(x: tf.Tensor3D): Pick<LstmCache, 'hiddens' | 'gates' | 'cells'> {
    const initial = this.#state ?? zeroLstmState(x.shape[1], this.hiddenSize);
    const { hiddens, gates, cells, hidden, cell } = tf.tidy(() => {
      const [wx, wh, b] = [this.wx.value, this.wh.value as tf.Tensor2D, this.b.value];
      const run = unrollForward(x, initial, wx, wh, b, this.options.bfloat16);
      return { ...run, hidden: tf.keep(run.hidden), cell: tf.keep(run.cell) };
    });
    disposeLstmState(initial);
    this.#state = { hidden, cell };
    return { hiddens, gates, cells };
  }

  /** @param dOutput [T, N, H] @returns [T, N, D] */
  backward(dOutput: tf.Tensor3D): tf.Tensor3D {
    const cache = this.#cache;
    if (!cache) throw appError('internal', { reference: `${this.name}: backward before forward` });
    expectShape(dOutput, cache.hiddens.shape, 'T, N, H', `TimeLstm "${this.name}"`);
    const { dx, dWx, dWh, db } = tf.tidy(() => {
      const gradients = unrollBackward(dOutput, cache, this.wx.value as tf.Tensor2D, this.options.bfloat16);
      if (!cache.dropKey) return gradients;
      return { ...gradients, dWh: drop(gradients.dWh, this.options.weightDrop, cache.dropKey) };
    });
    this.wx.accumulate(dWx);
    this.wh.accumulate(dWh);
    this.b.accumulate(db);
    this.#disposeCache();
    return dx;
  }

  dispose(): void {
    this.#disposeCache();
    this.#packed.dispose();
    this.putState(null);
  }

  #forwardPacked(kernels: NativeKernels, x: tf.Tensor3D, { hidden, cell }: LstmState) {
    return kernels.lstmPacked({ x, hidden, cell, ...this.packed(), bf16: this.options.bfloat16 });
  }

  /** Keeps what backward needs; the state from before goes into that. */
  #forwardForTraining(x: tf.Tensor3D, initial: LstmState): tf.Tensor3D {
    this.#packed.dispose();
    this.#disposeCache();
    const dropKey = this.options.weightDrop > 0 ? this.options.random.next() : null;
    const { kept, state, output } = tf.tidy(() => {
      const masked = dropKey ? drop(this.wh.value, this.options.weightDrop, dropKey) : this.wh.value.clone();
      const wh = masked as tf.Tensor2D;
      const run = unrollForward(x, initial, this.wx.value, wh, this.b.value, this.options.bfloat16);
      const { hiddens, gates, cells, hidden, cell } = run;
      const kept = { x: x.clone(), wh, hiddens, gates, cells };
      for (const tensor of [...Object.values(kept), hidden, cell]) tf.keep(tensor);
      return { kept, state: { hidden, cell }, output: hiddens.clone() };
    });
    tf.keep(initial.hidden);
    tf.keep(initial.cell);
    this.#cache = { ...kept, initial, dropKey };
    this.#state = state;
    return output;
  }

  #disposeCache(): void {
    if (!this.#cache) return;
    const { x, initial, wh, hiddens, gates, cells } = this.#cache;
    disposeLstmState(initial);
    for (const tensor of [x, wh, hiddens, gates, cells]) tensor.dispose();
    this.#cache = null;
  }
}

type Unrolled = Pick<LstmCache, 'hiddens' | 'gates' | 'cells'> & LstmState;

/** All steps forward: one native kernel, or its twin of TensorFlow ops. */
function unrollForward(
  x: tf.Tensor3D,
  { hidden, cell }: LstmState,
  wx: tf.Tensor,
  wh: tf.Tensor2D,
  b: tf.Tensor,
  bf16: boolean,
): Unrolled {
  const kernels = fusedKernels();
  if (kernels) {
    const run = kernels.lstmForward({ x, hidden, cell, wx, wh, b, bf16 });
    return { ...run, ...run.cache } as Unrolled;
  }
  const [time, batchSize, width] = x.shape;
  const affine = tf.add(matMul(tf.reshape(x, [time * batchSize, width]), wx as tf.Tensor2D), b); // [M, 4H]
  const steps = tf.split(affine, time) as tf.Tensor2D[]; // T × [N, 4H]
  const hiddens: tf.Tensor2D[] = [];
  const cells: tf.Tensor2D[] = [];
  const gates: tf.Tensor2D[] = [];
  let state: LstmState = { hidden, cell };
  for (const projected of steps) {
    const step = lstmCellForward(projected, state.hidden, state.cell, wh);
    hiddens.push(step.hidden);
    cells.push(step.cell);
    gates.push(step.cache.gates);
    state = step;
  }
  return {
    hiddens: tf.stack(hiddens) as tf.Tensor3D,
    gates: tf.stack(gates) as tf.Tensor3D,
    cells: tf.stack(cells) as tf.Tensor3D,
    hidden: state.hidden,
    cell: state.cell,
  };
}

/** All steps backward; dWx, dWh, db and dx are one product each, after the loop. */
function unrollBackward(dOutput: tf.Tensor3D, cache: LstmCache, wx: tf.Tensor2D, bf16: boolean) {
  const { x, initial, wh, hiddens, gates, cells } = cache;
  const kernels = fusedKernels();
  if (kernels) {
    const { hidden, cell } = initial;
    const g = kernels.lstmBackward({
      dHiddens: dOutput,
      x,
      hidden,
      cell,
      wx,
      wh,
      hiddens,
      cache: { gates, cells },
      bf16,
    });
    return { dx: g.dx as tf.Tensor3D, dWx: g.dWx, dWh: g.dWh, db: g.db };
  }
  const [time, batchSize, width] = x.shape;
  const hiddenSize = wh.shape[0];
  const dOutputs = tf.unstack(dOutput) as tf.Tensor2D[];
  const gateSteps = tf.unstack(gates) as tf.Tensor2D[];
  const cellSteps = tf.unstack(cells) as tf.Tensor2D[];
  const dAffines: tf.Tensor2D[] = [];
  let dHidden: tf.Tensor2D = tf.zeros([batchSize, hiddenSize]);
  let dCell: tf.Tensor2D = tf.zeros([batchSize, hiddenSize]);
  for (let t = time - 1; t >= 0; t--) {
    const step = {
      gates: gateSteps[t]!,
      cell: cellSteps[t]!,
      previousCell: cellSteps[t - 1] ?? initial.cell,
    };
    const back = lstmCellBackward(tf.add(dOutputs[t]!, dHidden), dCell, step, wh);
    dAffines.unshift(back.dAffine);
    dHidden = back.dPreviousHidden;
    dCell = back.dPreviousCell;
  }
  const dAffine = tf.concat(dAffines); // [M, 4H]
  const previousHiddens = tf.concat([initial.hidden, ...(tf.unstack(hiddens).slice(0, -1) as tf.Tensor2D[])]); // [M, H]
  return {
    dx: tf.reshape(matMul(dAffine, wx, false, true), x.shape) as tf.Tensor3D,
    dWx: matMul(tf.reshape(x, [time * batchSize, width]), dAffine, true, false),
    dWh: matMul(previousHiddens, dAffine, true, false),
    db: tf.sum(dAffine, 0),
  };
}
