import { describe, it } from 'node:test';
import { lstmCellBackward, lstmCellForward } from '../../src/layers/lstm-cell.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { useBackend } from '../support/backend.js';
import { drawn, drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { checkGradient } from '../support/gradient-check.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

const [BATCH, HIDDEN] = [3, 5];
/** A few float32 operations on numbers of size 1. */
const TOLERANCE = 2e-6;

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
const matrix = (values: ArrayLike<number>, columns: number) =>
  tf.tensor2d(Float32Array.from(values), [values.length / columns, columns]);

describe('the LSTM cell', () => {
  useBackend();

  it('computes the equations of its documentation, gates in the order f, g, i, o', () => {
    expectNoTensorLeak(() =>
      tf.tidy(() => {
        const projected = drawnTensor([BATCH, 4 * HIDDEN], 1, 2);
        const hidden = drawnTensor([BATCH, HIDDEN], 2);
        const cell = drawnTensor([BATCH, HIDDEN], 3, 2);
        const wh = drawnTensor([HIDDEN, 4 * HIDDEN], 4);
        const values = [projected, hidden, cell, wh].map((tensor) => tensor.dataSync());
        const [p, h, c, w] = values as [Float32Array, Float32Array, Float32Array, Float32Array];
        const affine = (n: number, k: number) =>
          Array.from({ length: HIDDEN }, (_, j) => h[n * HIDDEN + j]! * w[j * 4 * HIDDEN + k]!).reduce(
            (sum, term) => sum + term,
            p[n * 4 * HIDDEN + k]!,
          );
        const expected = { hidden: [] as number[], cell: [] as number[] };
        for (let n = 0; n < BATCH; n++) {
          for (let j = 0; j < HIDDEN; j++) {
            const [f, g, i, o] = [0, 1, 2, 3].map((gate) => affine(n, gate * HIDDEN + j)) as [
              number,
              number,
              number,
              number,
            ];
            const next = sigmoid(f) * c[n * HIDDEN + j]! + Math.tanh(g) * sigmoid(i);
            expected.cell.push(next);
            expected.hidden.push(sigmoid(o) * Math.tanh(next));
          }
        }
        const next = lstmCellForward(
          projected as tf.Tensor2D,
          hidden as tf.Tensor2D,
          cell as tf.Tensor2D,
          wh as tf.Tensor2D,
        );
        expectClose('hidden', next.hidden.dataSync(), expected.hidden, TOLERANCE);
        expectClose('cell', next.cell.dataSync(), expected.cell, TOLERANCE);
      }),
    );
  });

  it('has the numeric gradient in all that flows into it, from hidden and cell', () => {
    const start = {
      projected: drawn(BATCH * 4 * HIDDEN, 1),
      hidden: drawn(BATCH * HIDDEN, 2),
      cell: drawn(BATCH * HIDDEN, 3),
      wh: drawn(HIDDEN * 4 * HIDDEN, 4),
    };
    const dHidden = drawn(BATCH * HIDDEN, 5);
    const dCell = drawn(BATCH * HIDDEN, 6);
    const forward = (inputs: typeof start) => {
      const { projected, hidden, cell, wh } = inputs;
      return lstmCellForward(
        matrix(projected, 4 * HIDDEN),
        matrix(hidden, HIDDEN),
        matrix(cell, HIDDEN),
        matrix(wh, 4 * HIDDEN),
      );
    };
    const loss = (changed: Partial<typeof start>) =>
      tf.tidy(() => {
        const next = forward({ ...start, ...changed });
        const [hidden, cell] = [next.hidden.dataSync(), next.cell.dataSync()];
        return dHidden.reduce((sum, d, i) => sum + d * hidden[i]! + dCell[i]! * cell[i]!, 0);
      });
    const back = tf.tidy(() => {
      const { cache } = forward(start);
      const wh = matrix(start.wh, 4 * HIDDEN);
      const gradients = lstmCellBackward(matrix(dHidden, HIDDEN), matrix(dCell, HIDDEN), cache, wh);
      const dWh = tf.matMul(matrix(start.hidden, HIDDEN), gradients.dAffine, true, false);
      const { dAffine, dPreviousHidden, dPreviousCell } = gradients;
      return [dAffine, dPreviousHidden, dPreviousCell, dWh].map((tensor) => tensor.dataSync().slice());
    });
    const [dAffine, dPreviousHidden, dPreviousCell, dWh] = back;
    checkGradient('projected', start.projected, dAffine!, (projected) => loss({ projected }));
    checkGradient('hidden', start.hidden, dPreviousHidden!, (hidden) => loss({ hidden }));
    checkGradient('cell', start.cell, dPreviousCell!, (cell) => loss({ cell }));
    checkGradient('wh', start.wh, dWh!, (wh) => loss({ wh }));
  });
});
