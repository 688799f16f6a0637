import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { importPyTorchModel } from '../../src/checkpoints/pytorch-bundle.js';
import { importFromPyTorch, type PyTorchModel } from '../../src/checkpoints/pytorch-import.js';
import { nameAsWordLanguageModel } from '../../src/checkpoints/pytorch-tensor-names.js';
import { decodeSafetensors, encodeSafetensors, type HostTensor } from '../../src/checkpoints/safetensors.js';

const FIXTURES = new URL('../../../test/fixtures/', import.meta.url);

/** Written by test/fixtures/pytorch-word-lm.py. */
function fixture(name: string) {
  const file = `pytorch-word-lm-${name}.safetensors`;
  return decodeSafetensors(readFileSync(new URL(file, FIXTURES)), file);
}

type Rename = (name: string) => string;

/** The tensors of a fixture under other names; null = left out. */
function renamed(name: string, rename: (name: string) => string | null): Map<string, HostTensor> {
  const tensors = new Map<string, HostTensor>();
  for (const [known, tensor] of fixture(name).tensors) {
    const other = rename(known);
    if (other !== null) tensors.set(other, tensor);
  }
  return tensors;
}

function imported(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
): PyTorchModel {
  return importFromPyTorch(nameAsWordLanguageModel(tensors, metadata));
}

describe('the names of a PyTorch model', () => {
  it('may be those that save_model gives tied weights: once, with an alias in the metadata', () => {
    const { tensors, metadata } = fixture('saved-model');
    assert.deepEqual(metadata, { 'encoder.weight': 'decoder.weight' });
    assert.equal(tensors.has('encoder.weight'), false);
    assert.deepEqual(imported(tensors, metadata), imported(fixture('joint').tensors));
    assert.deepEqual(imported(tensors), imported(fixture('joint').tensors), 'without the metadata too');
  });

  const wrappings: [string, Rename][] = [
    ['DataParallel', (name) => `module.${name}`],
    ['torch.compile', (name) => `_orig_mod.${name}`],
    ['both', (name) => `_orig_mod.module.${name}`],
    ['a compiled part', (name) => name.replace(/^rnns?\./, '$&_orig_mod.')],
    ['a Lightning module', (name) => `model.${name}`],
    ['a deeper one', (name) => `net.language.model.${name}`],
    ['other names of the parts', (name) => name.replace('encoder', 'embedding').replace('decoder', 'fc')],
    [
      'lstm',
      (name) => name.replace('rnn.', 'lstm.').replace('encoder', 'embed').replace('decoder', 'linear'),
    ],
  ];
  for (const [what, rename] of wrappings) {
    for (const model of ['joint', 'separate']) {
      it(`may be wrapped by ${what} (${model})`, () => {
        assert.deepEqual(imported(renamed(model, rename)), imported(fixture(model).tensors));
      });
    }
  }

  it('may be those of awd-lstm-lm, whose raw recurrent weights count', () => {
    const tensors = renamed('separate', (name) => name.replace(/^(rnns\.\d)\./, '$1.module.'));
    for (const [name, tensor] of [...tensors]) {
      if (!name.includes('weight_hh')) continue;
      tensors.set(`${name.replace('module.', '')}_raw`, tensor);
      tensors.set(name, { ...tensor, values: tensor.values.map((value, i) => (i % 2 ? value : 0)) }); // dropped
    }
    assert.deepEqual(imported(tensors), imported(fixture('separate').tensors));
  });

  it('may lack biases: those are zeros', () => {
    const tensors = renamed('joint', (name) => (name.includes('bias') ? null : name));
    const { weights } = imported(tensors);
    for (const name of ['lstm0.b', 'lstm1.b', 'output.b'])
      assert.ok(
        weights.get(name)!.values.every((value) => value === 0),
        name,
      );
    const half = renamed('joint', (name) => (name === 'rnn.bias_hh_l1' ? null : name));
    assert.throws(() => imported(half), /"rnn.bias_hh_l1": expected \[24\], got no such tensor/);
  });

  it('are listed where they are of another model', () => {
    const refused: [Map<string, HostTensor>, RegExp][] = [
      [
        new Map([['conv.weight', tensor(2, 3)]]),
        /"encoder.weight": expected \[V, D\], got no such tensor. The file has conv.weight \[2, 3\]/,
      ],
      [new Map(), /The file has no tensors/],
      [
        new Map([
          ['encoder.weight', tensor(2, 3)],
          ['transformer.h.0.weight', tensor(3, 3)],
        ]),
        /"rnn.weight_ih_l0".*has encoder.weight \[2, 3\], transformer.h.0.weight \[3, 3\]/,
      ],
      [
        new Map([
          ['embed.weight', tensor(2, 3)],
          ['emb.weight', tensor(2, 3)],
        ]),
        /"encoder.weight": expected one tensor, got two, the second as "emb.weight"/,
      ],
    ];
    for (const [tensors, message] of refused) assert.throws(() => imported(tensors), { message });
  });

  it('do not keep a bundle from being read', () => {
    const { tensors, metadata } = fixture('saved-model');
    const vocabulary = ['<unk>', '<eos>', ...'abcdefghij'].join('\n');
    const model = encodeSafetensors(tensors, metadata);
    assert.equal(importPyTorchModel({ model, vocabulary }).description.model.tieWeights, true);
  });

  it('come with a vocabulary whose faults are told under the name of its file', () => {
    const model = encodeSafetensors(fixture('joint').tensors);
    const tokens = ['<unk>', '<eos>', ...'abcdefghij'];
    for (const [vocabulary, message] of [
      [tokens.slice(1), /^vocabulary: it lacks "<unk>"/],
      [tokens.with(1, 'k'), /^vocabulary: it lacks "<eos>"/],
      [tokens.with(5, 'a'), /^vocabulary: duplicate token "a"/],
    ] as const)
      assert.throws(() => importPyTorchModel({ model, vocabulary: vocabulary.join('\n') }), { message });
  });
});

describe('a file of Python’s safetensors', () => {
  it('is read to the same values, of each type', () => {
    const expected = JSON.parse(readFileSync(new URL('safetensors-python.json', FIXTURES), 'utf8')) as Record<
      string,
      { shape: number[]; values: number[] }
    >;
    const bytes = readFileSync(new URL('safetensors-python.safetensors', FIXTURES));
    const { tensors, metadata } = decodeSafetensors(bytes, 'python');
    assert.deepEqual({ ...metadata }, { format: 'pt', ключ: 'значение' });
    assert.deepEqual([...tensors.keys()].sort(), Object.keys(expected).sort());
    for (const [name, { shape, values }] of Object.entries(expected)) {
      assert.deepEqual(tensors.get(name)!.shape, shape, name);
      assert.deepEqual([...tensors.get(name)!.values], [...Float32Array.from(values)], name);
    }
  });
});

function tensor(rows: number, columns: number): HostTensor {
  return { shape: [rows, columns], values: new Float32Array(rows * columns).fill(1) };
}
