/** The output layer with softmax and cross-entropy in plain float64 loops; what the kernels give is compared with it. */

export interface SoftmaxInputs {
  readonly rows: number; // M
  readonly hiddenSize: number; // H
  readonly vocabularySize: number; // V
  readonly h: ArrayLike<number>; // [M, H]
  readonly w: ArrayLike<number>; // [V, H]
  readonly b: ArrayLike<number>; // [V]
  readonly targets: ArrayLike<number>; // [M]
}

/** Losses [M] in nats, and the gradients of Σ losses · scale. */
export function naiveSoftmaxLoss(inputs: SoftmaxInputs, scale: number) {
  const { rows: M, hiddenSize: H, vocabularySize: V, h, w, b, targets } = inputs;
  const logits = new Float64Array(M * V);
  const losses = new Float64Array(M);
  const dh = new Float64Array(M * H);
  const dw = new Float64Array(V * H);
  const db = new Float64Array(V);
  for (let m = 0; m < M; m++) {
    const row = logits.subarray(m * V, (m + 1) * V);
    for (let v = 0; v < V; v++) {
      row[v] = b[v]!;
      for (let k = 0; k < H; k++) row[v]! += h[m * H + k]! * w[v * H + k]!;
    }
    const max = row.reduce((largest, value) => Math.max(largest, value), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((total, value) => total + Math.exp(value - max), 0);
    losses[m] = max + Math.log(sum) - row[targets[m]!]!;
    for (let v = 0; v < V; v++) {
      const d = (Math.exp(row[v]! - max) / sum - (v === targets[m] ? 1 : 0)) * scale;
      db[v]! += d;
      for (let k = 0; k < H; k++) {
        dh[m * H + k]! += d * w[v * H + k]!;
        dw[v * H + k]! += d * h[m * H + k]!;
      }
    }
  }
  return { logits, losses, dh, dw, db };
}
