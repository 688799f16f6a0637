import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelConfig } from '../../src/contracts/model.js';
import { initializeParameters } from '../../src/models/initialization.js';
import { useBackend } from '../support/backend.js';

const VOCABULARY = 300;

/** Values by name, of a model of two layers, 40 → 50 → 60. */
function initial(config: object, seed = 3): Map<string, Float32Array> {
  const model = ModelConfig.parse({ embeddingSize: 40, hiddenSizes: [50, 60], ...config });
  const { embedding, layers, outputWeights, outputBias } = initializeParameters(model, VOCABULARY, seed);
  const all = new Set([
    embedding,
    ...layers.flatMap((weights) => Object.values(weights)),
    outputWeights,
    outputBias,
  ]);
  return new Map(
    Array.from(all, (parameter) => {
      const values = parameter.value.dataSync<'float32'>().slice();
      parameter.dispose();
      return [parameter.name, values];
    }),
  );
}

function deviation(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
}

const within = (values: Float32Array, expected: number) => {
  const actual = deviation(values);
  // the error of a deviation from n draws is about 1/√(2n); four of them
  const tolerance = (4 * expected) / Math.sqrt(2 * values.length);
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual}, not ${expected}`);
};

/** All of them within the bound, and spread evenly. */
const uniformIn = (values: Float32Array, bound: number) => {
  assert.ok(values.every((value) => Math.abs(value) <= Math.fround(bound)));
  within(values, bound / Math.sqrt(3));
};

describe('initializeParameters', () => {
  useBackend();

  it('book: N(0, 1/fan-in) weights, N(0, 0.01²) embedding, no bias', () => {
    const weights = initial({ initialization: 'book' });
    within(weights.get('embedding.table')!, 0.01);
    within(weights.get('lstm0.wx')!, 1 / Math.sqrt(40));
    within(weights.get('lstm0.wh')!, 1 / Math.sqrt(50));
    within(weights.get('lstm1.wx')!, 1 / Math.sqrt(50));
    within(weights.get('lstm1.wh')!, 1 / Math.sqrt(60));
    within(weights.get('output.w')!, 1 / Math.sqrt(60));
    for (const name of ['lstm0.b', 'lstm1.b', 'output.b'])
      assert.ok(weights.get(name)!.every((value) => value === 0));
  });

  it('uniform: everything within ± the range', () => {
    const weights = initial({ initialization: 'uniform', initializationRange: 0.05 });
    assert.equal(weights.size, 9);
    for (const values of weights.values()) uniformIn(values, 0.05);
  });

  it('awd-lstm: U(±0.1) embedding, U(±1/√H) LSTM, both of PyTorch’s biases in one, no output bias', () => {
    const weights = initial({ initialization: 'awd-lstm' });
    uniformIn(weights.get('embedding.table')!, 0.1);
    uniformIn(weights.get('lstm0.wx')!, 1 / Math.sqrt(50));
    uniformIn(weights.get('lstm1.wh')!, 1 / Math.sqrt(60));
    within(weights.get('lstm1.b')!, Math.sqrt(2 / 3 / 60));
    assert.ok(weights.get('output.b')!.every((value) => value === 0));
  });

  it('adds the forget bias to the forget gate alone, which is packed first', () => {
    const [without, withBias] = [initial({}), initial({ forgetBias: 1.5 })];
    const bias = withBias.get('lstm0.b')!;
    assert.ok(bias.subarray(0, 50).every((value) => value === 1.5));
    assert.ok(bias.subarray(50).every((value) => value === 0));
    assert.deepEqual(withBias.get('lstm0.wx'), without.get('lstm0.wx'));
  });

  it('draws the same weights from the same seed, others from another, none of them twice', () => {
    assert.deepEqual(initial({}), initial({}));
    assert.notDeepEqual(initial({}, 4).get('lstm0.wx'), initial({}).get('lstm0.wx'));
    const weights = initial({ hiddenSizes: [40, 40] });
    assert.notDeepEqual(weights.get('lstm0.wx'), weights.get('lstm1.wx'));
    assert.notDeepEqual(weights.get('lstm0.wx'), weights.get('lstm0.wh'));
  });

  it('draws nothing for the output weights where they are tied', () => {
    assert.ok(!initial({ tieWeights: true, hiddenSizes: [50, 40] }).has('output.w'));
  });
});
