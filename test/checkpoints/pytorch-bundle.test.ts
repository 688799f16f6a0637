import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { CheckpointFolder } from '../../src/checkpoints/checkpoint-folder.js';
import { describeModel, openModel } from '../../src/checkpoints/model-folder.js';
import {
  exportModelFolder,
  importPyTorchModel,
  type PyTorchBundle,
  readPyTorchBundle,
  writeImportedModel,
  writePyTorchBundle,
} from '../../src/checkpoints/pytorch-bundle.js';
import { parseVocabularyLines } from '../../src/checkpoints/pytorch-vocabulary.js';
import { decodeSafetensors } from '../../src/checkpoints/safetensors.js';
import { ModelConfig } from '../../src/contracts/model.js';
import { AppError, type ErrorCode } from '../../src/errors.js';
import { createModel } from '../../src/models/create-model.js';
import { testKernels, useBackend } from '../support/backend.js';

const VOCABULARY = '<unk>\n<eos>\nthe\ncat\nsat\nmat\n';
const TEXT = 'the cat sat\nthe mat\na cat\n';

const MODELS = {
  'two layers of one size, tied': { embeddingSize: 5, hiddenSizes: [5, 5], tieWeights: true },
  'three layers of different sizes, tied': { embeddingSize: 5, hiddenSizes: [7, 6, 5], tieWeights: true },
  'one layer, not tied': { embeddingSize: 5, hiddenSizes: [5], tieWeights: false },
};

describe('a PyTorch bundle', () => {
  useBackend();
  const folders: string[] = [];
  const temporaryFolder = () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatelm-bundle-'));
    folders.push(folder);
    return folder;
  };
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  /** An experiment's folder with a model of random weights; gives its model folder. */
  function modelFolder(config: object): string {
    const folder = temporaryFolder();
    const model = ModelConfig.parse({
      initialization: 'uniform',
      initializationRange: 0.8,
      dropout: { output: 0.5 },
      ...config,
    });
    const net = createModel(model, 6, { kernels: testKernels(), seed: 3, precision: 'float32' });
    new CheckpointFolder(folder).saveBestWeights(new Map(net.parameters.map((p) => [p.name, p.value])));
    net.dispose();
    const description = {
      version: 1 as const,
      model,
      vocabularySize: 6,
      precision: 'float32' as const,
      corpus: 'ptb',
    };
    describeModel(join(folder, 'model'), description, parseVocabularyLines(VOCABULARY));
    return join(folder, 'model');
  }

  for (const [name, config] of Object.entries(MODELS)) {
    for (const tiedWeights of ['once', 'twice'] as const) {
      it(`brings ${name} (written ${tiedWeights}) back to the same bytes, through folders`, () => {
        const [source, bundle, target] = [modelFolder(config), temporaryFolder(), temporaryFolder()];
        writePyTorchBundle(bundle, exportModelFolder(source, { tiedWeights }));
        assert.deepEqual(readdirSync(bundle).sort(), ['config.json', 'model.safetensors', 'tokenizer.json']);
        writeImportedModel(target, importPyTorchModel(readPyTorchBundle(bundle)));
        for (const file of ['weights.safetensors', 'config.json', 'tokenizer.json'])
          assert.deepEqual(readFileSync(join(target, file)), readFileSync(join(source, file)), file);
      });
    }
  }

  it('is served like a model of one’s own', () => {
    const [source, target] = [modelFolder(MODELS['one layer, not tied']), temporaryFolder()];
    const bundle = exportModelFolder(source, { tiedWeights: 'twice' });
    writeImportedModel(target, importPyTorchModel(filesOf(bundle)));
    const losses = [source, target].map((folder) => {
      const { model, tokenizer } = openModel(folder, testKernels());
      const ids = tokenizer.encode(TEXT);
      const time = ids.length - 1;
      const result = model.losses({ inputs: ids.slice(0, -1), targets: ids.slice(1), time, batchSize: 1 });
      const copy = result.slice();
      model.dispose();
      return copy;
    });
    assert.deepEqual(losses[0], losses[1]);
  });

  it('writes the tensors of word_language_model, with tied weights once or twice', () => {
    const folder = modelFolder(MODELS['two layers of one size, tied']);
    const shapes = (tiedWeights: 'once' | 'twice') => {
      const file = exportModelFolder(folder, { tiedWeights }).get('model.safetensors')!;
      const { tensors, metadata } = decodeSafetensors(Buffer.from(file), 'model.safetensors');
      assert.equal(metadata.format, 'pt');
      return Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));
    };
    const once = {
      'encoder.weight': [6, 5],
      'rnn.weight_ih_l0': [20, 5],
      'rnn.weight_hh_l0': [20, 5],
      'rnn.bias_ih_l0': [20],
      'rnn.bias_hh_l0': [20],
      'rnn.weight_ih_l1': [20, 5],
      'rnn.weight_hh_l1': [20, 5],
      'rnn.bias_ih_l1': [20],
      'rnn.bias_hh_l1': [20],
      'decoder.bias': [6],
    };
    assert.deepEqual(shapes('once'), once);
    assert.deepEqual(shapes('twice'), { ...once, 'decoder.weight': [6, 5] });
  });

  it('takes a vocabulary with one token a line, and a part of a config', () => {
    const bundle = exportModelFolder(modelFolder(MODELS['two layers of one size, tied']), {
      tiedWeights: 'once',
    });
    const imported = importPyTorchModel({
      model: bundle.get('model.safetensors')!,
      vocabulary: VOCABULARY.replaceAll('\n', '\r\n'),
      config: JSON.stringify({ corpus: 'ptb', model: { dropout: { input: 0.25 } } }),
    });
    assert.deepEqual(imported.tokenizer.vocabulary.tokens, VOCABULARY.trim().split('\n'));
    assert.equal(imported.description.corpus, 'ptb');
    assert.equal(imported.description.model.dropout.input, 0.25);
    assert.deepEqual(imported.description.model.hiddenSizes, [5, 5]);
    assert.equal(imported.parameterCount, 6 * 5 + 2 * (2 * 5 * 20 + 20) + 6);
  });

  it('refuses what does not belong together, and says why', () => {
    const bundle = exportModelFolder(modelFolder(MODELS['two layers of one size, tied']), {
      tiedWeights: 'twice',
    });
    const model = bundle.get('model.safetensors')!;
    const vocabulary = VOCABULARY;
    const refusals: [Parameters<typeof importPyTorchModel>[0], ErrorCode, RegExp][] = [
      [{ model }, 'tokenizer-invalid', /neither a tokenizer nor/],
      [
        { model, vocabulary: `${vocabulary}dog\n` },
        'tensor-mismatch',
        /"encoder.weight": expected 7 rows.*got 6/,
      ],
      [
        { model, vocabulary: vocabulary.replace('cat', '') },
        'checkpoint-corrupt',
        /vocabulary.*line 4 is empty/,
      ],
      [{ model, vocabulary: vocabulary.replace('cat', 'sat') }, 'tokenizer-invalid', /duplicate token/],
      [{ model, vocabulary: vocabulary.replace('<eos>', 'dog') }, 'tokenizer-invalid', /lacks "<eos>"/],
      [{ model, vocabulary: Uint8Array.of(0xff, 0xfe) }, 'checkpoint-corrupt', /UTF-8/],
      [{ model, tokenizer: '{}' }, 'tokenizer-invalid', /./],
      [{ model, vocabulary, config: 'no JSON' }, 'checkpoint-corrupt', /config.json/],
      [{ model, vocabulary, config: '{"corpse":"ptb"}' }, 'checkpoint-corrupt', /corpse/],
      [
        { model, vocabulary, config: '{"model":{"hiddenSizes":[5,6]}}' },
        'checkpoint-corrupt',
        /tied weights need/,
      ],
      [
        { model, vocabulary, config: '{"model":{"hiddenSizes":[6,5]}}' },
        'tensor-mismatch',
        /expected model.hiddenSizes\[0\] 6.*got 5/,
      ],
      [{ model: model.subarray(0, 900), vocabulary }, 'checkpoint-corrupt', /model.safetensors/],
    ];
    for (const [files, code, message] of refusals) {
      assert.throws(
        () => importPyTorchModel(files),
        (error) => {
          assert.ok(error instanceof AppError);
          assert.equal(error.code, code);
          assert.match(error.message, message);
          return true;
        },
      );
    }
  });

  it('refuses to export weights that are not those that were saved', () => {
    const folder = modelFolder(MODELS['one layer, not tied']);
    const file = join(folder, 'weights.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 2]! ^= 1;
    writeFileSync(file, bytes);
    assert.throws(() => exportModelFolder(folder, { tiedWeights: 'once' }), /SHA-256/);
  });
});

function filesOf(bundle: PyTorchBundle): Parameters<typeof importPyTorchModel>[0] {
  return {
    model: bundle.get('model.safetensors')!,
    tokenizer: bundle.get('tokenizer.json'),
    config: bundle.get('config.json'),
  };
}
