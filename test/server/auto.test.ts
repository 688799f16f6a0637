import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatelmClient } from '../../src/client/client.js';
import { startService } from '../support/service.js';

const LOG = Array.from(
  { length: 2000 },
  (_, i) => `2026-03-01 10:15:${i % 60} [${i}] 10.0.3.${i % 9}:443 E4021\n`,
).join('');

test('a body that says nothing about how to learn gets auto, with the choices and their reasons stored', async (context) => {
  const { address } = await startService(context);
  const client = new GatelmClient({ url: address });
  await client.uploadCorpus('server log', { file: new Blob([LOG]) });
  const { id } = await client.createExperiment({ corpus: 'server log', budget: '30s' });
  const { config } = await client.getExperiment(id);
  assert.equal(config.preset, 'auto');
  assert.equal(config.tokenizer.type, 'character');
  assert.equal(config.training.timeBudget, 30);
  assert.match(config.reasons!.join('\n'), /characters, since letters are only/);
});

test('what a body says overrules what auto would choose', async (context) => {
  const { address } = await startService(context);
  const client = new GatelmClient({ url: address });
  const { config } = await client.createExperiment({
    preset: 'auto',
    model: { hiddenSizes: [33] },
    training: { epochs: 2 },
  });
  assert.deepEqual(config.model.hiddenSizes, [33]);
  assert.equal(config.training.epochs, 2);
  assert.equal(config.tokenizer.type, 'byte-pair');
});

test('a body with fields of its own and no preset has the defaults of the schema, as ever', async (context) => {
  const { address } = await startService(context);
  const { config } = await new GatelmClient({ url: address }).createExperiment({ training: { epochs: 2 } });
  assert.equal(config.preset, null);
  assert.equal(config.optimizer.type, 'sgd');
  assert.equal(config.reasons, undefined);
});

test('a budget goes with every preset, as text or as seconds, and a wrong one is named', async (context) => {
  const { address } = await startService(context);
  const client = new GatelmClient({ url: address });
  for (const [budget, seconds] of [
    ['90s', 90],
    ['1.5m', 90],
    ['2h', 7200],
    [45, 45],
  ] as const) {
    const { config } = await client.createExperiment({ preset: 'rnnlm', corpus: 'handbook', budget });
    assert.equal(config.training.timeBudget, seconds);
    assert.ok(!('budget' in config));
  }
  await assert.rejects(client.createExperiment({ preset: 'auto', budget: 'soon' }), /budget/);
});
