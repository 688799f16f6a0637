import type { TokenBatch } from '../models/language-model.js';

/** Cuts a batch along its streams into at most `parts` parts of nearly equal width. */
export function splitBatch(batch: TokenBatch, parts: number): TokenBatch[] {
  if (parts === 1) return [batch];
  const width = Math.ceil(batch.batchSize / parts);
  const pieces: TokenBatch[] = [];
  for (let first = 0; first < batch.batchSize; first += width) {
    const batchSize = Math.min(width, batch.batchSize - first);
    pieces.push({
      inputs: takeColumns(batch.inputs, batch, first, batchSize),
      targets: takeColumns(batch.targets, batch, first, batchSize),
      time: batch.time,
      batchSize,
    });
  }
  return pieces;
}

/** Columns first … first + count of a time-major [T, N] matrix. */
function takeColumns(
  ids: Int32Array,
  { time, batchSize }: TokenBatch,
  first: number,
  count: number,
): Int32Array {
  const columns = new Int32Array(time * count);
  for (let t = 0; t < time; t++) {
    const row = t * batchSize + first;
    columns.set(ids.subarray(row, row + count), t * count);
  }
  return columns;
}
