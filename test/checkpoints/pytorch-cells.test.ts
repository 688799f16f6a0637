import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exportToPyTorch } from '../../src/checkpoints/pytorch-export.js';
import { importFromPyTorch } from '../../src/checkpoints/pytorch-import.js';
import { ModelConfig } from '../../src/contracts/model.js';
import { Parameter } from '../../src/layers/parameter.js';
import { buildParameters } from '../../src/models/model-parameters.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { useBackend } from '../support/backend.js';
import { CELL_CONFIGS } from '../support/cells.js';
import { drawn } from '../support/drawn.js';

describe('a model under PyTorch’s names', () => {
  useBackend();
  for (const cell of CELL_CONFIGS) {
    for (const hiddenSizes of [
      [5, 5],
      [7, 5],
    ]) {
      it(`shows its cell ${JSON.stringify(cell)} and its sizes ${hiddenSizes.join(', ')}, and comes back bit by bit`, () => {
        const config = ModelConfig.parse({ cell, embeddingSize: 6, hiddenSizes });
        const weights = new Map<string, { shape: readonly number[]; values: Float32Array }>();
        const placeholder = new Parameter('placeholder', tf.scalar(0));
        buildParameters(config, 9, ({ name, shape }) => {
          const size = shape.reduce((product, count) => product * count, 1);
          weights.set(name, { shape, values: drawn(size, 1 + weights.size) });
          return placeholder;
        });
        placeholder.dispose();
        const imported = importFromPyTorch(exportToPyTorch(weights, config, { tiedWeights: 'twice' }));
        assert.deepEqual(imported.modelConfig, config);
        assert.deepEqual([...imported.weights].sort(), [...weights].sort());
      });
    }
  }
});
