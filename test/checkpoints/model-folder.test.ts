import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CheckpointFolder } from '../../src/checkpoints/checkpoint-folder.js';
import { describeModel, hasModel, openModel } from '../../src/checkpoints/model-folder.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { wordTokenizerOf } from '../../src/tokenizers/create-tokenizer.js';
import { testKernels, useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';
import { tinyText, tinyTraining, VOCABULARY } from '../support/tiny-training.js';

const READING = { batchSize: 4, bpttLength: 8, counting: 'exact' } as const;
const TOKENS = ['<eos>', '<unk>', ...'abcdefghijk'];

describe('a model folder', () => {
  useBackend();
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatelm-model-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Writes a model with all its dropouts. @returns its loss, read without them */
  function write(): number {
    const { model, config, dispose } = tinyTraining({
      model: {
        embeddingSize: 6,
        hiddenSizes: [7, 6],
        tieWeights: true,
        dropout: { kind: 'variational', input: 0.5, output: 0.5, recurrentWeights: 0.5 },
      },
    });
    const sink = new CheckpointFolder(folder);
    sink.saveBestWeights(new Map(model.parameters.map(({ name, value }) => [name, value])));
    const description = {
      version: 1,
      vocabularySize: VOCABULARY,
      precision: 'float32',
      corpus: 'x',
    } as const;
    describeModel(join(folder, 'model'), { ...description, model: config }, wordTokenizerOf(TOKENS));
    const { loss } = evaluate(model, tinyText(60), READING);
    dispose();
    return loss;
  }

  const open = () => openModel(join(folder, 'model'), testKernels());

  it('gives the model and the tokenizer back as they were', () => {
    expectNoTensorLeak(() => {
      assert.equal(hasModel(join(folder, 'model')), false);
      const loss = write();
      assert.equal(hasModel(join(folder, 'model')), true);
      const { model, tokenizer, description } = open();
      assert.equal(evaluate(model, tinyText(60), READING).loss, loss);
      assert.deepEqual(tokenizer.vocabulary.tokens, TOKENS);
      assert.equal(description.corpus, 'x');
      model.dispose();
    });
  });

  const change = (file: string, edit: (text: string) => string) => {
    const path = join(folder, 'model', file);
    writeFileSync(path, edit(readFileSync(path, 'utf8')));
  };
  const broken: [string, () => void, string, RegExp][] = [
    ['no weights', () => rmSync(join(folder, 'model/weights.safetensors')), 'checkpoint-corrupt', /ENOENT/],
    ['no tokenizer', () => rmSync(join(folder, 'model/tokenizer.json')), 'checkpoint-corrupt', /ENOENT/],
    ['no config', () => rmSync(join(folder, 'model/config.json')), 'checkpoint-corrupt', /ENOENT/],
    [
      'a config that is not JSON',
      () => change('config.json', () => '{'),
      'checkpoint-corrupt',
      /config\.json/,
    ],
    [
      'a config of a newer version',
      () => change('config.json', (text) => text.replace('"version": 1', '"version": 2')),
      'checkpoint-corrupt',
      /version/,
    ],
    [
      'a config of another model',
      () => change('config.json', (text) => text.replace(/(hiddenSizes": \[\s*)7/, '$18')),
      'tensor-mismatch',
      /"lstm0.wx": expected \[6, 32\], got \[6, 28\]/,
    ],
    [
      'a config of fewer layers',
      () => change('config.json', (text) => text.replace(/7,\s*6/, '6')),
      'tensor-mismatch',
      /"lstm0.wx": expected \[6, 24\], got \[6, 28\]/,
    ],
    [
      'a tokenizer of another vocabulary',
      () =>
        change('config.json', (text) =>
          text.replace(`"vocabularySize": ${VOCABULARY}`, '"vocabularySize": 14'),
        ),
      'tokenizer-invalid',
      /it has 13 tokens; the model has 14/,
    ],
  ];
  for (const [what, spoil, code, message] of broken) {
    it(`is refused with ${what}, and leaves no tensor`, () => {
      write();
      spoil();
      expectNoTensorLeak(() => assert.throws(open, { code, message }));
    });
  }
});
