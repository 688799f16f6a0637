import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelConfig } from '../../src/contracts/model.js';
import { growWeights } from '../../src/models/grow-weights.js';
import { initializeParameters } from '../../src/models/initialization.js';
import { type ModelParameters, parameterSpecs } from '../../src/models/model-parameters.js';
import type * as tf from '../../src/tensor/tensorflow.js';
import { useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

const KNOWN = 5;
const GROWN = 8;

function weightsOf({ embedding, layers, outputWeights, outputBias }: ModelParameters) {
  const parameters = new Set([embedding, ...layers.flatMap(Object.values), outputWeights, outputBias]);
  return new Map([...parameters].map(({ name, value }) => [name, value as tf.Tensor]));
}

describe('growWeights', () => {
  useBackend();

  for (const tieWeights of [false, true])
    it(`adds rows that are the mean of the others, which stay the same bytes (tied: ${tieWeights})`, () => {
      expectNoTensorLeak(() => {
        const config = ModelConfig.parse({ embeddingSize: 4, hiddenSizes: [4], tieWeights });
        const weights = weightsOf(initializeParameters(config, KNOWN, 1));
        const before = new Map(
          [...weights].map(([name, value]) => [name, value.dataSync<'float32'>().slice()]),
        );
        const grown = growWeights(config, GROWN, weights);
        assert.equal(grown.has('output.w'), !tieWeights);
        for (const { name, role, shape } of parameterSpecs(config, GROWN)) {
          const [values, old] = [grown.get(name)!.dataSync<'float32'>(), before.get(name)!];
          assert.deepEqual(grown.get(name)!.shape, shape);
          assert.deepEqual(values.slice(0, old.length), old, name);
          if (role.startsWith('recurrent')) continue;
          const width = old.length / KNOWN;
          for (let at = old.length; at < values.length; at++) {
            const column = old.filter((_, index) => index % width === at % width);
            const mean = column.reduce((sum, value) => sum + value, 0) / KNOWN;
            assert.ok(Math.abs(values[at]! - mean) < 1e-6, `${name}[${at}]`);
          }
        }
        for (const value of grown.values()) value.dispose();
      });
    });
});
