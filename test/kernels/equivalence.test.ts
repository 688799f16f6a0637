/** One suite over the interface of the kernels: each implementation gives what the composed ops give. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CellConfig } from '../../src/contracts/model.js';
import type { Tensors } from '../../src/kernels/cell.js';
import { ComposedKernels } from '../../src/kernels/composed/composed-kernels.js';
import type { Kernels, RowGradient } from '../../src/kernels/kernels.js';
import type { RecurrentCell } from '../../src/layers/recurrent-cell.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { testKernels, useBackend } from '../support/backend.js';
import { CELL_CONFIGS, CELLS } from '../support/cells.js';
import { drawnIds, drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

type Results = Readonly<Record<string, tf.Tensor | Float32Array>>;

const COMPOSED = new ComposedKernels();
const PRECISIONS = ['float32', 'bfloat16'] as const;
/** float32: sums of a few hundred numbers of size 1. bfloat16: 8 bits an operand, against sums of this size. */
const TOLERANCE = { float32: 2e-5, bfloat16: 5e-2 };

/** [T, N, D, H]: one of each, odd ones, more streams and units than a panel or a vector has. */
const CELL_SIZES = [
  [1, 1, 1, 1],
  [5, 3, 7, 13],
  [3, 21, 33, 37],
] as const;
/** [M, H, V] */
const OUTPUT_SIZES = [
  [1, 1, 2],
  [29, 17, 33],
  [61, 8, 1040],
] as const;

/** @param run gets tensors of its own: what works in place must not be seen by the other */
function expectSame(tolerance: number, run: (kernels: Kernels) => Results): void {
  expectNoTensorLeak(() =>
    tf.tidy(() => {
      const [expected, actual] = [COMPOSED, testKernels()].map((kernels) => {
        const entries = Object.entries(run(kernels)).map(([name, result]) => {
          if (!(result instanceof tf.Tensor)) return [name, result] as const;
          const values = result.dataSync<'float32'>().slice();
          result.dispose(); // some are kept beyond a tidy
          return [name, values] as const;
        });
        return new Map(entries);
      });
      assert.deepEqual([...actual!.keys()], [...expected!.keys()]);
      for (const [name, values] of actual!) expectClose(name, values, expected!.get(name)!, tolerance);
    }),
  );
}

function prefixed(prefix: string, tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}.${name}`, tensor]));
}

function drawCell(cell: RecurrentCell, [T, N, D, H]: readonly [number, number, number, number]) {
  const specs = Object.entries(cell.weights(D, H));
  return {
    x: drawnTensor([T, N, D], 1) as tf.Tensor3D,
    state: Object.fromEntries(cell.stateParts.map((part, i) => [part, drawnTensor([N, H], 2 + i)])),
    weights: Object.fromEntries(
      specs.map(([name, { shape }], i) => [name, drawnTensor([...shape], 10 + i, 0.5)]),
    ),
  };
}

describe('the kernels that this machine has, beside the composed ones', () => {
  useBackend();

  it('are tried with every cell that a config can name', () => {
    const tried = new Set(CELL_CONFIGS.map(({ type }) => type));
    assert.deepEqual([...tried].sort(), CellConfig.options.map(({ shape }) => shape.type.value).sort());
  });

  for (const precision of PRECISIONS) {
    const bf16 = precision === 'bfloat16';
    const tolerance = TOLERANCE[precision];

    for (const [name, cell] of CELLS) {
      for (const sizes of CELL_SIZES) {
        it(`run the cell ${name} of sizes ${sizes.join(', ')}, forward, backward and for inference, in ${precision}`, () =>
          expectSame(tolerance, (kernels) => {
            const own = kernels.cell(cell);
            const input = { ...drawCell(cell, sizes), bf16 };
            const run = own.forward(input);
            const dHiddens = drawnTensor(run.hiddens.shape, 7) as tf.Tensor3D;
            const { dx, dWeights } = own.backward({ ...input, ...run, state: input.state, dHiddens });
            const inferred = own.infer({ ...input, packed: own.pack(input.weights, bf16) });
            return {
              hiddens: run.hiddens,
              ...prefixed('state', run.state),
              ...prefixed('saved', run.saved),
              dx,
              ...prefixed('d', dWeights),
              inferred: inferred.hiddens,
              ...prefixed('inferred', inferred.state),
            };
          }));
      }

      it(`run the cell ${name} on inputs that steps share as on each by itself, in ${precision}`, () =>
        expectSame(tolerance, (kernels) => {
          const [T, N, D, H] = [5, 21, 7, 13];
          const own = kernels.cell(cell);
          const rows = drawnTensor([9, D], 3) as tf.Tensor2D;
          const indices = tf.tensor2d(drawnIds(T * N, 4, 9), [T, N], 'int32');
          const shared = { ...drawCell(cell, [T, N, D, H]), bf16, x: { rows, indices } };
          const run = own.forward(shared);
          const dHiddens = drawnTensor(run.hiddens.shape, 7) as tf.Tensor3D;
          const { dx, dWeights } = own.backward({ ...shared, ...run, state: shared.state, dHiddens });
          assert.deepEqual(dx.shape, rows.shape);
          const packed = own.pack(shared.weights, bf16);
          const inferred = own.infer({ ...shared, packed });
          const apart = { ...shared, x: tf.gather<tf.Tensor>(rows, indices) as tf.Tensor3D };
          const sameBits = [own.forward(apart).hiddens, own.infer({ ...apart, packed }).hiddens];
          const same = [run.hiddens, inferred.hiddens].map((hiddens) => hiddens.dataSync());
          assert.deepEqual(
            sameBits.map((hiddens) => hiddens.dataSync()),
            same,
          );
          return { hiddens: run.hiddens, dx, ...prefixed('d', dWeights), inferred: inferred.hiddens };
        }));

      it(`give the likeliest next tokens of two layers of ${name} in ${precision}`, () =>
        expectSame(tolerance, (kernels) => {
          const [first, second] = [drawCell(cell, [1, 5, 6, 9]), drawCell(cell, [1, 5, 9, 9])];
          const weights = { w: drawnTensor([70, 9], 40, 3), b: drawnTensor([70], 41), bf16 };
          const { top, states } = kernels.nextTokens({
            ids: drawnIds(5, 8, 70),
            count: 4,
            embedding: drawnTensor([70, 6], 9),
            layers: [first, second].map(({ state, weights }) => {
              const own = kernels.cell(cell);
              return { cell: own, state, weights, packed: own.pack(weights, bf16) };
            }),
            output: { ...weights, packed: kernels.packOutput(weights) },
          });
          assert.equal(top.ids.length, 5 * 4);
          return { values: top.values, ...prefixed('0', states[0]!), ...prefixed('1', states[1]!) };
        }));
    }

    for (const [M, H, V] of OUTPUT_SIZES) {
      it(`give logits, losses and their gradients for [${M}, ${H}, ${V}] in ${precision}`, () =>
        expectSame(tolerance, (kernels) => {
          const weights = { w: drawnTensor([V, H], 2), b: drawnTensor([V], 3, 5), bf16 };
          const input = { h: drawnTensor([M, H], 1), targets: drawnIds(M, 4, V) };
          const packed = { ...weights, packed: kernels.packOutput(weights) };
          return {
            logits: kernels.logits({ ...input, ...packed }),
            evaluated: kernels.losses({ ...input, ...packed }),
            ...kernels.lossesAndGradients({ ...input, ...weights, scale: 1 / M }),
          };
        }));
    }
  }

  it('look up rows, sum them and add them to a table', () =>
    expectSame(TOLERANCE.float32, (kernels) => {
      const gradient = (seed: number): RowGradient => ({
        ids: drawnIds(40, seed, 11),
        rows: drawnTensor([40, 7], seed),
      });
      const summed = kernels.coalesceRows([gradient(1), gradient(2)]);
      return {
        rows: kernels.rows({
          table: drawnTensor([11, 7], 3),
          ids: tf.tensor2d([3, 0, 10, 3], [2, 2], 'int32'),
        }),
        ids: Float32Array.from(summed.ids),
        sums: summed.rows,
        added: kernels.addRows(drawnTensor([11, 7], 3), gradient(4)),
        scaled: kernels.addRows(drawnTensor([11, 7], 3), summed, -0.5),
      };
    }));

  it('drop the same elements', () =>
    expectSame(1e-7, (kernels) => {
      const x = drawnTensor([6, 5, 4], 1);
      const key = { seed: 7, stream: 2, counterLow: 4_000_000_000, counterHigh: 1 };
      return {
        standard: kernels.dropout({ x, key, rate: 0.3, period: 120 }),
        variational: kernels.dropout({ x, key, rate: 0.6, period: 20 }),
      };
    }));

  it('sum squares, and update as SGD, averaged SGD, Adam and AdamW do', () =>
    expectSame(TOLERANCE.float32, (kernels) => {
      const drawn = (seed: number) => drawnTensor([41, 7], seed);
      const scales = { learningRate: 0.3, gradientScale: 0.7, weightDecay: 0.1 };
      const update = () => ({ value: drawn(1), gradient: drawn(2) });
      const plain = kernels.sgd({ ...scales, updates: [update()] });
      const averaged = kernels.sgd({
        ...scales,
        updates: [{ ...update(), average: drawn(3) }],
        averageCoefficient: 0.2,
      });
      assert.deepEqual(kernels.sgd({ ...scales, updates: [] }), []);
      const adam = (decoupled: boolean) =>
        kernels.adam({
          ...{ ...update(), ...scales, decoupled, m: drawn(4), v: tf.square(drawn(5)) },
          ...{ beta1: 0.9, beta2: 0.99, epsilon: 1e-8, correction1: 0.1, correction2: 0.01 },
        });
      const values = ({ value, m, v }: ReturnType<typeof adam>) => ({ value, m, v });
      return {
        squares: kernels.sumSquares([drawn(1), drawn(2)]),
        plain: plain[0]!.value,
        averaged: averaged[0]!.value,
        average: averaged[0]!.average!,
        ...prefixed('adam', values(adam(false))),
        ...prefixed('adamw', values(adam(true))),
      };
    }));

  it('learn from a segment as dynamic evaluation does', () =>
    expectSame(TOLERANCE.float32, (kernels) => {
      const drawn = (seed: number) => drawnTensor([13, 7], seed);
      const rows = kernels.coalesceRows([{ ids: drawnIds(9, 1, 13), rows: drawnTensor([9, 7], 6) }]);
      const gradients = { dense: { kind: 'dense', value: drawn(2) }, rows: { kind: 'rows', rows } } as const;
      const results = Object.entries(gradients).flatMap(([kind, gradient]) =>
        [null, tf.abs(drawn(3))].map((roots) => {
          const scales = { learningRate: 0.1, decay: 0.2, epsilon: 0.05 };
          const value = kernels.adapt({ value: drawn(4), trained: drawn(5), gradient, roots, ...scales });
          return [`${kind}, ${roots ? 'rms' : 'sgd'}`, value];
        }),
      );
      return { ...Object.fromEntries(results), rows: rows.rows };
    }));
});
