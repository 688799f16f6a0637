import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromHostTensors } from '../../src/checkpoints/host-tensors.js';
import { exportToPyTorch } from '../../src/checkpoints/pytorch-export.js';
import { importFromPyTorch } from '../../src/checkpoints/pytorch-import.js';
import { createModel } from '../../src/models/create-model.js';
import { testKernels, useBackend } from '../support/backend.js';
import { drawn, drawnIds } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { readFixture } from '../support/fixture.js';

interface ModelFixture {
  readonly vocabularySize: number;
  readonly time: number;
  readonly batchSize: number;
  readonly shapes: Readonly<Record<string, number[]>>;
  readonly losses: number[];
}

const { model: FIXTURE } = readFixture<{ model: ModelFixture }>('pytorch-gru', 1);

function pytorchTensors() {
  return new Map(
    Object.entries(FIXTURE.shapes).map(([name, shape], index) => {
      const size = shape.reduce((product, count) => product * count, 1);
      return [name, { shape, values: drawn(size, 20 + index, 0.7) }];
    }),
  );
}

describe('a language model of torch.nn.GRU', () => {
  useBackend();

  it('is told from one of LSTMs by its tensors, and has PyTorch’s loss of each token', () => {
    const { modelConfig, vocabularySize, weights } = importFromPyTorch(pytorchTensors());
    assert.deepEqual(modelConfig.cell, { type: 'gru' });
    assert.deepEqual(modelConfig.hiddenSizes, [6, 6]);
    const model = createModel(modelConfig, vocabularySize, {
      kernels: testKernels(),
      seed: 0,
      precision: 'float32',
      weights: fromHostTensors(weights),
    });
    const { time, batchSize } = FIXTURE;
    const ids = drawnIds((time + 1) * batchSize, 19, vocabularySize);
    const [inputs, targets] = [ids.slice(0, time * batchSize), ids.slice(batchSize)];
    const losses = model.losses({ inputs, targets, time, batchSize });
    model.dispose();
    expectClose('losses', losses, FIXTURE.losses, 2e-6);
  });

  it('comes back from an export bit by bit, but for the biases that PyTorch adds', () => {
    const tensors = pytorchTensors();
    const { modelConfig, weights } = importFromPyTorch(tensors);
    const exported = exportToPyTorch(weights, modelConfig, { tiedWeights: 'twice' });
    assert.deepEqual([...exported.keys()].sort(), [...tensors.keys()].sort());
    for (const [name, { values, shape }] of exported) {
      if (name.includes('bias_')) continue;
      assert.deepEqual({ values, shape }, tensors.get(name), name);
    }
    const again = importFromPyTorch(exported);
    assert.deepEqual(again, { ...importFromPyTorch(tensors) });
    const [bias, recurrent] = [exported.get('rnn.bias_ih_l1')!, exported.get('rnn.bias_hh_l1')!];
    const [given, other] = [tensors.get('rnn.bias_ih_l1')!, tensors.get('rnn.bias_hh_l1')!];
    assert.deepEqual([...recurrent.values.slice(0, 12)], new Array(12).fill(0));
    assert.deepEqual(
      recurrent.values.slice(12),
      other.values.slice(12),
      'the recurrent bias of n stays apart',
    );
    assert.deepEqual(bias.values.slice(12), given.values.slice(12));
    const sums = given.values.map((value, at) => value + other.values[at]!);
    assert.deepEqual(bias.values.slice(0, 12), sums.slice(0, 12));
  });
});
