import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { affineBackward, lossBackward, lossesOf } from '../../src/kernels/composed/output.js';
import { Parameter } from '../../src/layers/parameter.js';
import { SoftmaxOutput } from '../../src/layers/softmax-output.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { drawn, drawnIds, drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { checkGradient, checkParameterGradient, denseGradient } from '../support/gradient-check.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** Sums of up to a few hundred float32 numbers of size 1. */
const TOLERANCE = 1e-5;

interface Sizes {
  readonly tokens: number;
  readonly width: number;
  readonly vocabulary: number;
}

/** Odd sizes on purpose: kernels work in blocks. */
const SIZES: Record<string, Sizes> = {
  'one token, two words': { tokens: 1, width: 1, vocabulary: 2 },
  'odd sizes': { tokens: 7, width: 5, vocabulary: 11 },
  'sizes beyond one block': { tokens: 67, width: 33, vocabulary: 531 },
  'few tokens, many words': { tokens: 3, width: 9, vocabulary: 2003 },
};

function layerOf({ width, vocabulary }: Sizes): SoftmaxOutput {
  return new SoftmaxOutput(
    'output',
    new Parameter('w', drawnTensor([vocabulary, width], 1)),
    new Parameter('b', drawnTensor([vocabulary], 2)),
    { kernels: testKernels(), bfloat16: false },
  );
}

function disposeLayer(layer: SoftmaxOutput): void {
  layer.dispose();
  for (const parameter of layer.parameters) parameter.dispose();
}

/** The same in float64 loops. */
function twin(
  sizes: Sizes,
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  b: ArrayLike<number>,
  ids: Int32Array,
) {
  const { tokens: M, width: H, vocabulary: V } = sizes;
  const result = {
    logits: new Float64Array(M * V),
    losses: new Float64Array(M),
    dx: new Float64Array(M * H),
    dw: new Float64Array(V * H),
    db: new Float64Array(V),
  };
  for (let m = 0; m < M; m++) {
    const logits = result.logits.subarray(m * V, (m + 1) * V);
    for (let v = 0; v < V; v++) {
      logits[v] = b[v]!;
      for (let h = 0; h < H; h++) logits[v]! += x[m * H + h]! * w[v * H + h]!;
    }
    const largest = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    result.losses[m] = largest + Math.log(total) - logits[ids[m]!]!;
    for (let v = 0; v < V; v++) {
      const dLogit = (Math.exp(logits[v]! - largest) / total - (v === ids[m] ? 1 : 0)) / M;
      result.db[v]! += dLogit;
      for (let h = 0; h < H; h++) {
        result.dx[m * H + h]! += dLogit * w[v * H + h]!;
        result.dw[v * H + h]! += dLogit * x[m * H + h]!;
      }
    }
  }
  return result;
}

describe('SoftmaxOutput', () => {
  useBackend();
  for (const kernels of KERNELS) {
    for (const [name, sizes] of Object.entries(SIZES)) {
      it(`agrees with float64 loops, forward and backward: ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const layer = layerOf(sizes);
            const { weights, b } = layer;
            const x = drawnTensor([sizes.tokens, sizes.width], 3) as tf.Tensor2D;
            const ids = drawnIds(sizes.tokens, 4, sizes.vocabulary);
            const values = [x, weights.value, b.value].map((tensor) => tensor.dataSync<'float32'>());
            const expected = twin(sizes, values[0]!, values[1]!, values[2]!, ids);

            const evaluated = layer.losses(x, ids);
            const logits = layer.logits(x);
            const trained = layer.lossesAndGradient(x, ids, 1 / sizes.tokens);
            expectClose('losses without gradient', evaluated.dataSync(), expected.losses, TOLERANCE);
            expectClose('logits', logits.dataSync(), expected.logits, TOLERANCE);
            expectClose('losses', trained.losses.dataSync(), expected.losses, TOLERANCE);
            expectClose('dx', trained.dx.dataSync(), expected.dx, TOLERANCE);
            expectClose('dw', denseGradient(weights), expected.dw, TOLERANCE);
            expectClose('db', denseGradient(b), expected.db, TOLERANCE);
            tf.dispose([x, evaluated, logits, trained.losses, trained.dx]);
            disposeLayer(layer);
          }),
        ));
    }

    it(`has the numeric gradient, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () => {
        const sizes = SIZES['odd sizes']!;
        const layer = layerOf(sizes);
        const ids = drawnIds(sizes.tokens, 4, sizes.vocabulary);
        const x = drawn(sizes.tokens * sizes.width, 3);
        const matrix = (values: Float32Array) => tf.tensor2d(values.slice(), [sizes.tokens, sizes.width]);
        const loss = (values = x) =>
          tf.tidy(() => {
            const losses = layer.losses(matrix(values), ids).dataSync<'float32'>();
            return losses.reduce((sum, value) => sum + value, 0) * 0.3;
          });
        const dx = tf.tidy(() => layer.lossesAndGradient(matrix(x), ids, 0.3).dx.dataSync().slice());
        checkGradient('x', x, dx, loss);
        for (const parameter of layer.parameters) checkParameterGradient(parameter, loss);
        disposeLayer(layer);
      }));

    it(`stays finite and exact with extreme logits, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const layer = new SoftmaxOutput(
            'output',
            new Parameter('w', tf.tensor2d([[1], [-1], [0]])),
            new Parameter('b', tf.tensor1d([0, 0, 0])),
            { kernels: testKernels(), bfloat16: false },
          );
          const x = tf.tensor2d([[1e4], [1e4], [-3e4], [88], [0], [1e30]]);
          const ids = Int32Array.of(0, 1, 2, 2, 1, 0);
          const expected = [0, 2e4, 3e4, 88, Math.log(3), 0];
          const evaluated = layer.losses(x, ids);
          const { losses, dx } = layer.lossesAndGradient(x, ids, 1);
          expectClose('without gradient', evaluated.dataSync(), expected, 1e-6);
          expectClose('with gradient', losses.dataSync(), expected, 1e-6);
          assert.ok(dx.dataSync().every(Number.isFinite));
          expectClose('dx', dx.dataSync(), [0, 2, -1, 1, 1, 0], 1e-6);
          for (const parameter of layer.parameters) {
            assert.ok(denseGradient(parameter).every(Number.isFinite), parameter.name);
          }
          tf.dispose([x, evaluated, losses, dx]);
          disposeLayer(layer);
        }),
      ));

    it(`refuses targets of no word and a wrong number of them, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const layer = layerOf(SIZES['odd sizes']!);
          const x = drawnTensor([2, 5], 3) as tf.Tensor2D;
          for (const [ids, code] of [
            [[0, 11], 'token-id-out-of-range'],
            [[-1, 0], 'token-id-out-of-range'],
            [[1], 'shape-mismatch'],
          ] as const) {
            assert.throws(() => layer.losses(x, Int32Array.from(ids)), { code });
            assert.throws(() => layer.lossesAndGradient(x, Int32Array.from(ids), 1), { code });
          }
          x.dispose();
          disposeLayer(layer);
        }),
      ));

    it(`sees a change of the weights at once, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const layer = layerOf(SIZES['odd sizes']!);
          const x = drawnTensor([7, 5], 3) as tf.Tensor2D;
          const before = layer.logits(x);
          layer.weights.assign(tf.zeros([11, 5]));
          const after = layer.logits(x);
          const b = layer.b.value.dataSync();
          assert.notDeepEqual(before.dataSync(), after.dataSync());
          expectClose(
            'after',
            after.dataSync(),
            Float32Array.from({ length: 77 }, (_, i) => b[i % 11]!),
            0,
          );
          tf.dispose([x, before, after]);
          disposeLayer(layer);
        }),
      ));
  }
});

describe('the affine layer of the composed kernels', () => {
  useBackend();

  it('has gradients that add up over two batches', () => {
    expectNoTensorLeak(() => {
      const [w, b] = [new Parameter('w', drawnTensor([4, 3], 1)), new Parameter('b', drawnTensor([4], 2))];
      const x = tf.tensor2d([[1, 2, 3]]);
      const dOutput = tf.tensor2d([[1, 0, -1, 2]]);
      for (let pass = 0; pass < 2; pass++) {
        const { dh, dw, db } = affineBackward(dOutput, x, w.value);
        w.accumulate(dw);
        b.accumulate(db);
        dh.dispose();
      }
      assert.deepEqual([...denseGradient(b)], [2, 0, -2, 4]);
      assert.deepEqual([...denseGradient(w)], [2, 4, 6, 0, 0, 0, -2, -4, -6, 4, 8, 12]);
      tf.dispose([x, dOutput]);
      for (const parameter of [w, b]) parameter.dispose();
    });
  });

  it('refuses an input of another width, naming the output layer', () => {
    expectNoTensorLeak(() => {
      const layer = layerOf({ tokens: 2, width: 3, vocabulary: 4 });
      const x = tf.zeros([2, 4]);
      const refusal = { message: 'Expected [2, 3] (M, H), got [2, 4] in SoftmaxOutput "output"' };
      assert.throws(() => layer.lossesAndGradient(x, Int32Array.of(0, 1), 1), refusal);
      assert.throws(() => layer.losses(x, Int32Array.of(0, 1)), refusal);
      x.dispose();
      disposeLayer(layer);
    });
  });
});

describe('softmax with loss of the composed kernels', () => {
  useBackend();

  it('gives −ln of the softmax, and its gradient times the scale', () => {
    expectNoTensorLeak(() => {
      const logits = tf.tensor2d([
        [Math.log(1), Math.log(2), Math.log(5)],
        [0, 0, 0],
      ]);
      const targets = Int32Array.of(2, 0);
      const { losses, logProbabilities } = lossesOf(logits, targets);
      const dLogits = lossBackward(logProbabilities, targets, 2);
      expectClose('losses', losses.dataSync(), [Math.log(8 / 5), Math.log(3)], 1e-6);
      const expected = [2 / 8, 4 / 8, -6 / 8, -4 / 3, 2 / 3, 2 / 3];
      expectClose('dLogits', dLogits.dataSync(), expected, 1e-6);
      tf.dispose([logits, losses, logProbabilities, dLogits]);
    });
  });
});
