import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BatchIterator, evaluationBatches } from '../../src/batches/batch-iterator.js';

const range = (length: number) => Int32Array.from({ length }, (_, i) => i);

describe('BatchIterator', () => {
  it('reads contiguous streams side by side, each batch going on where the last one ended', () => {
    const batches = new BatchIterator(range(11), { batchSize: 2 });
    const first = batches.next(3);
    assert.deepEqual(
      first && [...first.inputs],
      [0, 5, 1, 6, 2, 7], // [T 3, N 2]
    );
    assert.deepEqual(first && [...first.targets], [1, 6, 2, 7, 3, 8]);
    const second = batches.next(3);
    assert.equal(second?.time, 2, 'the last batch of an epoch is shorter');
    assert.equal(second?.start, 3);
    assert.deepEqual(second && [...second.targets], [4, 9, 5, 10]);
    assert.equal(batches.next(3), null);
    assert.deepEqual(batches.cursor, { position: 0, epoch: 1 });
    assert.deepEqual(batches.next(3), first);
  });

  it('never puts text into a batch that does not follow, whatever lengths are asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 60 }),
        (tokens, batchSize, lengths) => {
          fc.pre(tokens > batchSize);
          const batches = new BatchIterator(range(tokens), { batchSize });
          let previous: number[] | null = null;
          let predictions = 0;
          for (const length of lengths) {
            const batch = batches.next(length);
            if (batch === null) {
              assert.equal(predictions, batches.predictionsPerEpoch);
              previous = null;
              predictions = 0;
              continue;
            }
            predictions += batch.predictions;
            assert.equal(batch.start === 0, previous === null);
            batch.inputs.forEach((id, i) => {
              assert.equal(batch.targets[i], id + 1);
              const before = i < batchSize ? previous?.[i] : batch.inputs[i - batchSize];
              if (before !== undefined) assert.equal(id, before + 1);
            });
            previous = [...batch.inputs.slice(-batchSize)];
          }
        },
      ),
    );
  });

  it('goes on from a saved cursor with the very same batches', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 25 }), fc.boolean(), (stepsBefore, book) => {
        const options = {
          batchSize: 3,
          counting: book ? { mode: 'book' as const, bpttLength: 4 } : { mode: 'exact' as const },
        };
        const whole = new BatchIterator(range(53), options);
        for (let i = 0; i < stepsBefore; i++) whole.next(4);
        const cursor = JSON.parse(JSON.stringify(whole.cursor));
        const resumed = new BatchIterator(range(53), { ...options, cursor });
        for (let i = 0; i < 20; i++) assert.deepEqual(resumed.next(4), whole.next(4));
        assert.deepEqual(resumed.cursor, whole.cursor);
      }),
    );
  });

  it('counts batches as they come', () => {
    const batches = new BatchIterator(range(101), { batchSize: 4 });
    let count = 0;
    while (batches.next(7) !== null) count++;
    assert.equal(count, batches.batchesPerEpoch(7));
  });

  it('in book mode gives the batches of RnnlmTrainer.get_batch, over epochs', () => {
    const tokens = 48;
    const [batchSize, time] = [3, 4];
    const dataSize = tokens - 1;
    const jump = Math.floor(dataSize / batchSize);
    const batches = new BatchIterator(range(tokens), {
      batchSize,
      counting: { mode: 'book', bpttLength: time },
    });
    let timeIndex = 0;
    for (let epoch = 0; epoch < 5; epoch++) {
      for (let i = 0; i < Math.floor(dataSize / (batchSize * time)); i++) {
        const batch = batches.next(time);
        for (let t = 0; t < time; t++, timeIndex++) {
          for (let n = 0; n < batchSize; n++) {
            assert.equal(batch?.inputs[t * batchSize + n], (n * jump + timeIndex) % dataSize);
          }
        }
      }
      assert.equal(batches.next(time), null);
    }
  });

  it('refuses a text that gives no step, and says the least length', () => {
    assert.throws(() => new BatchIterator(range(20), { batchSize: 20 }), {
      code: 'corpus-too-short',
      message: /20 tokens; at least 21 are needed/,
    });
    assert.throws(
      () => new BatchIterator(range(80), { batchSize: 20, counting: { mode: 'book', bpttLength: 5 } }),
      { message: /at least 101/ },
    );
  });
});

describe('evaluationBatches', () => {
  it('makes every prediction of the text exactly once, each stream without a gap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 300 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 40 }),
        (tokens, batchSize, bpttLength) => {
          const seen = new Int32Array(tokens);
          let last: number[] = [];
          let count = 0;
          for (const batch of evaluationBatches(range(tokens), { batchSize, bpttLength })) {
            count++;
            for (let i = 0; i < batch.predictions; i++) {
              const id = batch.inputs[i]!;
              assert.equal(batch.targets[i], id + 1);
              seen[id]!++;
              const before = i < batch.batchSize ? last[i] : batch.inputs[i - batch.batchSize];
              if (before !== undefined) assert.equal(id, before + 1);
            }
            last = [...batch.inputs.slice(-batch.batchSize)];
          }
          assert.deepEqual([...seen.subarray(0, -1)], Array(tokens - 1).fill(1));
          assert.equal(seen[tokens - 1], 0, 'nothing follows the last token');
          assert.equal(count, evaluationBatchCount(tokens, { batchSize, bpttLength }));
        },
      ),
    );
  });

  it('counting as the book does leaves the remainder out', () => {
    const batches = [...evaluationBatches(range(48), { batchSize: 3, bpttLength: 4, counting: 'book' })];
    assert.equal(batches.length, Math.floor(47 / 12));
    assert.ok(batches.every((batch) => batch.time === 4 && batch.predictions === 12));
  });

  it('refuses a text without a prediction', () => {
    assert.throws(() => [...evaluationBatches(range(1), { batchSize: 1, bpttLength: 1 })], {
      code: 'corpus-too-short',
      message: /1 tokens; at least 2/,
    });
  });
});

/** The number of batches that evaluationBatches should yield. */
function evaluationBatchCount(tokens: number, options: { batchSize: number; bpttLength: number }): number {
  const batchSize = Math.min(options.batchSize, tokens - 1);
  const length = Math.floor((tokens - 1) / batchSize);
  return Math.ceil(length / options.bpttLength) + ((tokens - 1) % batchSize > 0 ? 1 : 0);
}
