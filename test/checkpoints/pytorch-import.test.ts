import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fromHostTensors } from '../../src/checkpoints/host-tensors.js';
import { exportToPyTorch } from '../../src/checkpoints/pytorch-export.js';
import { importFromPyTorch } from '../../src/checkpoints/pytorch-import.js';
import { decodeSafetensors, type HostTensor } from '../../src/checkpoints/safetensors.js';
import { AppError } from '../../src/errors.js';
import { createModel } from '../../src/models/create-model.js';
import { testKernels, useBackend } from '../support/backend.js';

const FIXTURES = new URL('../../../test/fixtures/', import.meta.url);
/** Written by test/fixtures/pytorch-word-lm.py. */
const FIXTURE = JSON.parse(readFileSync(new URL('pytorch-word-lm.json', FIXTURES), 'utf8')) as {
  version: number;
  vocabularySize: number;
  time: number;
  batchSize: number;
  ids: number[];
  models: Record<
    'joint' | 'separate',
    { embeddingSize: number; hiddenSizes: number[]; tieWeights: boolean; losses: number[] }
  >;
};
/** Both sides compute in float32. */
const TOLERANCE = 2e-6;

function fixtureTensors(name: string): Map<string, HostTensor> {
  const file = `pytorch-word-lm-${name}.safetensors`;
  return new Map(decodeSafetensors(readFileSync(new URL(file, FIXTURES)), file).tensors);
}

describe('importFromPyTorch', () => {
  useBackend();

  for (const name of ['joint', 'separate'] as const) {
    const expected = FIXTURE.models[name];

    it(`infers sizes and tying of the fixture "${name}"`, () => {
      const { modelConfig, vocabularySize } = importFromPyTorch(fixtureTensors(name));
      const { embeddingSize, hiddenSizes, tieWeights } = modelConfig;
      assert.equal(vocabularySize, FIXTURE.vocabularySize);
      assert.equal(embeddingSize, expected.embeddingSize);
      assert.deepEqual(hiddenSizes, expected.hiddenSizes);
      assert.equal(tieWeights, expected.tieWeights);
    });

    it(`gives PyTorch's loss of each token with the fixture "${name}"`, () => {
      const { modelConfig, vocabularySize, weights } = importFromPyTorch(fixtureTensors(name));
      const model = createModel(modelConfig, vocabularySize, {
        kernels: testKernels(),
        seed: 0,
        precision: 'float32',
        weights: fromHostTensors(weights),
      });
      const { time, batchSize, ids } = FIXTURE;
      const losses = model.losses({
        inputs: Int32Array.from(ids.slice(0, time * batchSize)),
        targets: Int32Array.from(ids.slice(batchSize)),
        time,
        batchSize,
      });
      model.dispose();
      assert.equal(losses.length, expected.losses.length);
      expected.losses.forEach((loss, m) => {
        assert.ok(
          Math.abs(loss - losses[m]!) < TOLERANCE,
          `token ${m}: PyTorch ${loss}, gatelm ${losses[m]}`,
        );
      });
    });
  }

  it('reads what PyTorch wrote and exports it so that a second import gives the same bits', () => {
    for (const name of ['joint', 'separate'] as const) {
      const first = importFromPyTorch(fixtureTensors(name));
      for (const tiedWeights of ['once', 'twice'] as const) {
        const exported = exportToPyTorch(first.weights, first.modelConfig, { tiedWeights });
        assert.deepEqual(importFromPyTorch(exported), first);
      }
    }
  });

  it('takes separate weights that are equal to the embedding table for tied ones', () => {
    const tensors = fixtureTensors('joint');
    const { shape, values } = tensors.get('encoder.weight')!;
    tensors.set('decoder.weight', { shape, values: values.slice() });
    assert.equal(importFromPyTorch(tensors).modelConfig.tieWeights, true);
    tensors.get('decoder.weight')!.values[3]! += 0.5;
    assert.equal(importFromPyTorch(tensors).modelConfig.tieWeights, false);
  });

  /** What a stranger's file may hold, and the message that it must get. */
  const refused: [string, 'joint' | 'separate', (tensors: Map<string, HostTensor>) => void, string][] = [
    [
      'a missing tensor',
      'joint',
      (t) => t.delete('rnn.bias_hh_l1'),
      'Tensor "rnn.bias_hh_l1": expected [24], got no such tensor',
    ],
    [
      'a file of something else',
      'joint',
      (t) => t.clear(),
      'Tensor "encoder.weight": expected [V, D], got no such tensor',
    ],
    [
      'no LSTM layer',
      'joint',
      (t) => {
        for (const key of [...t.keys()]) if (key.startsWith('rnn')) t.delete(key);
      },
      'Tensor "rnn.weight_hh_l0": expected [4H, H], got no such tensor',
    ],
    [
      'a tensor that no LSTM language model has',
      'joint',
      (t) => t.set('rnn.weight_ih_l0_reverse', zeros(24, 6)),
      'Tensor "rnn.weight_ih_l0_reverse": expected no such tensor, got [24, 6]',
    ],
    [
      'weights of a GRU, which has three gates, with the biases of an LSTM',
      'joint',
      (t) => t.set('rnn.weight_hh_l0', zeros(18, 6)).set('rnn.weight_ih_l0', zeros(18, 6)),
      'Tensor "rnn.bias_ih_l0": expected [18], got [24]',
    ],
    [
      'a layer whose input does not fit the layer below',
      'separate',
      (t) => t.set('rnns.1.weight_ih_l0', zeros(16, 5)),
      'Tensor "rnns.1.weight_ih_l0": expected [16, 7], got [16, 5]',
    ],
    [
      'output weights of another vocabulary',
      'separate',
      (t) => t.set('decoder.weight', zeros(13, 4)),
      'Tensor "decoder.weight": expected [12, 4], got [13, 4]',
    ],
    [
      'left-out output weights where the sizes forbid tying',
      'separate',
      (t) => t.delete('decoder.weight'),
      'Tensor "decoder.weight": expected [12, 4], got no such tensor',
    ],
    [
      'an embedding table without rows',
      'joint',
      (t) => t.set('encoder.weight', zeros(0, 6)),
      'Tensor "encoder.weight": expected [V, D], got [0, 6]',
    ],
    [
      'a weight that is not a number',
      'joint',
      (t) => {
        t.get('decoder.bias')!.values[7] = Number.NaN;
      },
      'Tensor "decoder.bias": expected finite numbers, got NaN at element 7',
    ],
    [
      'two layouts in one file',
      'joint',
      (t) => t.set('rnns.0.weight_ih_l0', zeros(24, 6)),
      'Tensor "rnns.0.weight_hh_l0": expected [4H, H], got no such tensor',
    ],
    [
      'a table wider than any model',
      'joint',
      (t) => t.set('encoder.weight', zeros(1, 8193)),
      'Tensor "encoder.weight": expected at most 8192 columns, got 8193',
    ],
  ];
  for (const [what, name, change, message] of refused) {
    it(`refuses ${what}, naming the tensor`, () => {
      const tensors = fixtureTensors(name);
      change(tensors);
      assert.throws(
        () => importFromPyTorch(tensors),
        (error) => {
          assert.ok(error instanceof AppError);
          assert.equal(error.code, 'tensor-mismatch');
          assert.equal(error.message, message);
          return true;
        },
      );
    });
  }
});

function zeros(rows: number, columns: number): HostTensor {
  return { shape: [rows, columns], values: new Float32Array(rows * columns) };
}
