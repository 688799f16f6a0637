import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { rowsToTable } from '../../src/kernels/row-gradient.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { drawn } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** Sums of a few float32 numbers of size 1. */
const TOLERANCE = 1e-6;
const ROWS = 9;

/** Row ids with many repetitions. */
const ids = fc.array(fc.nat(ROWS - 1), { minLength: 1, maxLength: 30 }).map((list) => Int32Array.from(list));
const width = fc.integer({ min: 1, max: 19 });

function rowsFor(list: Int32Array, columns: number, seed = 1): tf.Tensor2D {
  return tf.tensor2d(drawn(list.length * columns, seed), [list.length, columns]);
}

/** What a loop adds to a table of zeros. */
function naiveTable(list: Int32Array, rows: ArrayLike<number>, columns: number): Float64Array {
  const table = new Float64Array(ROWS * columns);
  list.forEach((id, m) => {
    for (let d = 0; d < columns; d++) table[id * columns + d]! += rows[m * columns + d]!;
  });
  return table;
}

describe('row gradients', () => {
  useBackend();
  for (const kernels of KERNELS) {
    it(`sum the rows of equal ids, in the order of their first appearance, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () => {
        fc.assert(
          fc.property(ids, ids, width, (first, second, columns) =>
            expectNoTensorLeak(() => {
              const parts = [
                { ids: first, rows: rowsFor(first, columns, 1) },
                { ids: second, rows: rowsFor(second, columns, 2) },
              ];
              const sum = testKernels().coalesceRows(parts);
              const all = Int32Array.from([...first, ...second]);
              assert.deepEqual([...sum.ids], [...new Set(all)]);
              assert.equal(sum.coalesced, true);
              const values = Float32Array.from(parts.flatMap(({ rows }) => [...rows.dataSync()]));
              const table = naiveTable(sum.ids, sum.rows.dataSync(), columns);
              expectClose('rows', table, naiveTable(all, values, columns), TOLERANCE);
              tf.dispose([sum.rows, ...parts.map(({ rows }) => rows)]);
            }),
          ),
          { numRuns: 40 },
        );
      }));

    it(`are added to a table that is there already, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () => {
        fc.assert(
          fc.property(ids, width, (list, columns) =>
            expectNoTensorLeak(() => {
              const before = drawn(ROWS * columns, 3);
              const rows = rowsFor(list, columns);
              const old = tf.tensor(before.slice(), [ROWS, columns]);
              const table = testKernels().addRows(old, { ids: list, rows });
              const expected = naiveTable(list, rows.dataSync(), columns).map((sum, i) => sum + before[i]!);
              expectClose('table', table.dataSync(), expected, TOLERANCE);
              tf.dispose([old, table, rows]);
            }),
          ),
          { numRuns: 40 },
        );
      }));

    it(`become a table that is zero elsewhere, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const list = Int32Array.of(7, 0, 7);
          const rows = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
          const table = rowsToTable(testKernels(), { ids: list, rows }, [ROWS, 2]);
          const expected = new Float32Array(ROWS * 2);
          expected.set([3, 4], 0);
          expected.set([6, 8], 14);
          assert.deepEqual(table.dataSync(), expected);
          tf.dispose([table, rows]);
        }),
      ));
  }
});
