/**
 * An LSTM in plain loops over float64 arrays: no tensors, no cleverness, nothing shared with src/layers. What the layer
 * and the kernels give is compared with what this gives.
 *
 * Equations: Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000; gates in the order f, g, i, o.
 */

export interface LstmSizes {
  readonly time: number;
  readonly batchSize: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
}

export interface LstmInputs extends LstmSizes {
  readonly x: ArrayLike<number>; // [T, N, D]
  readonly hidden: ArrayLike<number>; // [N, H]
  readonly cell: ArrayLike<number>; // [N, H]
  readonly wx: ArrayLike<number>; // [D, 4H]
  readonly wh: ArrayLike<number>; // [H, 4H]
  readonly b: ArrayLike<number>; // [4H]
}

export interface LstmRun {
  readonly hiddens: Float64Array; // [T, N, H]
  readonly cells: Float64Array; // [T, N, H]
  readonly f: Float64Array; // [T, N, H], and so the other gates
  readonly g: Float64Array;
  readonly i: Float64Array;
  readonly o: Float64Array;
}

export interface LstmGradients {
  readonly dx: Float64Array;
  readonly dWx: Float64Array;
  readonly dWh: Float64Array;
  readonly db: Float64Array;
  /** Of the state before the first step. */
  readonly dHidden: Float64Array;
  readonly dCell: Float64Array;
}

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

/** All steps forward. */
export function naiveLstmForward(inputs: LstmInputs): LstmRun {
  const { time: T, batchSize: N, inputSize: D, hiddenSize: H, x, wx, wh, b } = inputs;
  const zeros = () => new Float64Array(T * N * H);
  const run: LstmRun = { hiddens: zeros(), cells: zeros(), f: zeros(), g: zeros(), i: zeros(), o: zeros() };
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      const affine = new Float64Array(4 * H);
      for (let k = 0; k < 4 * H; k++) {
        let sum = b[k]!;
        for (let d = 0; d < D; d++) sum += x[(t * N + n) * D + d]! * wx[d * 4 * H + k]!;
        for (let h = 0; h < H; h++) sum += hiddenBefore(inputs, run, t, n, h) * wh[h * 4 * H + k]!;
        affine[k] = sum;
      }
      for (let h = 0; h < H; h++) {
        const at = (t * N + n) * H + h;
        run.f[at] = sigmoid(affine[h]!);
        run.g[at] = Math.tanh(affine[H + h]!);
        run.i[at] = sigmoid(affine[2 * H + h]!);
        run.o[at] = sigmoid(affine[3 * H + h]!);
        run.cells[at] = run.f[at]! * cellBefore(inputs, run, t, n, h) + run.g[at]! * run.i[at]!;
        run.hiddens[at] = run.o[at]! * Math.tanh(run.cells[at]!);
      }
    }
  }
  return run;
}

/** The gradients of Σ dHiddens ⊙ hiddens. @param dHiddens [T, N, H] */
export function naiveLstmBackward(
  inputs: LstmInputs,
  run: LstmRun,
  dHiddens: ArrayLike<number>,
): LstmGradients {
  const { time: T, batchSize: N, inputSize: D, hiddenSize: H, x, wx, wh } = inputs;
  const gradients: LstmGradients = {
    dx: new Float64Array(T * N * D),
    dWx: new Float64Array(D * 4 * H),
    dWh: new Float64Array(H * 4 * H),
    db: new Float64Array(4 * H),
    dHidden: new Float64Array(N * H),
    dCell: new Float64Array(N * H),
  };
  const { dx, dWx, dWh, db, dHidden, dCell } = gradients;
  for (let t = T - 1; t >= 0; t--) {
    for (let n = 0; n < N; n++) {
      const dAffine = new Float64Array(4 * H);
      for (let h = 0; h < H; h++) {
        const at = (t * N + n) * H + h;
        const [f, g, i, o] = [run.f[at]!, run.g[at]!, run.i[at]!, run.o[at]!];
        const tanhCell = Math.tanh(run.cells[at]!);
        const dh = dHiddens[at]! + dHidden[n * H + h]!;
        const dc = dCell[n * H + h]! + dh * o * (1 - tanhCell ** 2);
        dAffine[h] = dc * cellBefore(inputs, run, t, n, h) * f * (1 - f);
        dAffine[H + h] = dc * i * (1 - g ** 2);
        dAffine[2 * H + h] = dc * g * i * (1 - i);
        dAffine[3 * H + h] = dh * tanhCell * o * (1 - o);
        dCell[n * H + h] = dc * f;
      }
      for (let h = 0; h < H; h++) {
        let sum = 0;
        for (let k = 0; k < 4 * H; k++) {
          sum += dAffine[k]! * wh[h * 4 * H + k]!;
          dWh[h * 4 * H + k]! += hiddenBefore(inputs, run, t, n, h) * dAffine[k]!;
        }
        dHidden[n * H + h] = sum;
      }
      for (let d = 0; d < D; d++) {
        const at = (t * N + n) * D + d;
        for (let k = 0; k < 4 * H; k++) {
          dx[at]! += dAffine[k]! * wx[d * 4 * H + k]!;
          dWx[d * 4 * H + k]! += x[at]! * dAffine[k]!;
        }
      }
      for (let k = 0; k < 4 * H; k++) db[k]! += dAffine[k]!;
    }
  }
  return gradients;
}

function hiddenBefore(inputs: LstmInputs, run: LstmRun, t: number, n: number, h: number): number {
  const { batchSize: N, hiddenSize: H } = inputs;
  return t === 0 ? inputs.hidden[n * H + h]! : run.hiddens[((t - 1) * N + n) * H + h]!;
}

function cellBefore(inputs: LstmInputs, run: LstmRun, t: number, n: number, h: number): number {
  const { batchSize: N, hiddenSize: H } = inputs;
  return t === 0 ? inputs.cell[n * H + h]! : run.cells[((t - 1) * N + n) * H + h]!;
}
