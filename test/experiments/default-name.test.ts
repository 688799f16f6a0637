import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PresetName } from '../../src/contracts/presets.js';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { defaultName } from '../../src/experiments/default-name.js';

const nameOf = (body: object) => defaultName(resolveExperimentInput(body));

test('a preset as it is has nothing to say beside its corpus', () => {
  for (const preset of PresetName.options)
    assert.equal(nameOf({ preset, corpus: 'ptb' }), `${preset} on ptb`);
  assert.equal(nameOf({}), 'custom on handbook');
});

test('a name says what differs from the preset', () => {
  const body = { preset: 'rnnlm', corpus: 'ptb', tags: ['a'], priority: 3, notes: 'b' };
  assert.equal(
    nameOf({ ...body, optimizer: { learningRate: 5 }, training: { seed: 7 } }),
    'rnnlm on ptb: learningRate 5, seed 7',
  );
  assert.equal(nameOf({ ...body, model: { hiddenSizes: [50, 20] } }), 'rnnlm on ptb: hiddenSizes [50,20]');
});

test('another kind of optimizer is named once, with what differs from its own defaults', () => {
  assert.equal(nameOf({ preset: 'rnnlm', optimizer: { type: 'adam' } }), 'rnnlm on handbook: adam');
  assert.equal(
    nameOf({ preset: 'rnnlm', optimizer: { type: 'adam', beta1: 0.5 } }),
    'rnnlm on handbook: adam, beta1 0.5',
  );
  assert.equal(nameOf({ model: { cell: { type: 'gru' } } }), 'custom on handbook: gru');
});

test('of many settings a name says the first and how many more there are', () => {
  const name = nameOf({
    model: { embeddingSize: 7, hiddenSizes: [7], forgetBias: 1 },
    training: { epochs: 3, batchSize: 4, bpttLength: 6, seed: 9, maxGradNorm: 2 },
  });
  assert.match(name, /^custom on handbook: embeddingSize 7, hiddenSizes \[7\], .+, 2 more$/);
  assert.equal(name.split(', ').length, 7);
});
