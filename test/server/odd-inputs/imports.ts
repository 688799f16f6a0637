/** Weights from elsewhere, as safetensors and as what is taken for it. */
import assert from 'node:assert/strict';
import {
  decodeSafetensors,
  encodeSafetensors,
  type HostTensor,
} from '../../../src/checkpoints/safetensors.js';
import { TINY_VOCABULARY } from '../../support/tiny-bundle.js';
import { type Ask, file, type OddInput, type Part, postForm } from './ask.js';
import type { World } from './world.js';

type Tensors = Map<string, HostTensor>;
const model = ({ bundle }: World) => bundle.get('model.safetensors')!;
const vocabulary = file('vocabulary', TINY_VOCABULARY, 'vocabulary.txt');

const importing = (parts: (world: World) => readonly Part[]): Ask => postForm('/experiments/import', parts);
/** The model with its tensors changed. */
const changed = (change: (tensors: Tensors) => void, metadata: Record<string, string> = {}) =>
  importing((world) => {
    const tensors = new Map(decodeSafetensors(Buffer.from(model(world)), 'model').tensors);
    change(tensors);
    return [file('model', encodeSafetensors(tensors, metadata)), vocabulary];
  });
/** The file with its header changed, which may then lie. */
const headed = (change: (json: string) => string) =>
  importing((world) => {
    const bytes = Buffer.from(model(world));
    const end = 8 + Number(bytes.readBigUInt64LE());
    const header = Buffer.from(change(bytes.toString('utf8', 8, end)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return [file('model', Buffer.concat([length, header, bytes.subarray(end)])), vocabulary];
  });
const set = (name: string, at: number, value: number) => (tensors: Tensors) => {
  const values = tensors.get(name)!.values.slice();
  values[at] = value;
  tensors.set(name, { ...tensors.get(name)!, values });
};
const zeros = (...shape: number[]): HostTensor => ({
  shape,
  values: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

export const importInputs: readonly OddInput[] = [
  [
    'a weight that is not a number',
    changed(set('encoder.weight', 3, Number.NaN)),
    400,
    /encoder\.weight.*finite/,
  ],
  [
    'an infinite bias',
    changed(set('decoder.bias', 0, Number.POSITIVE_INFINITY)),
    400,
    /decoder\.bias.*finite/,
  ],
  ['the largest weights', changed(set('decoder.bias', 0, 3.4e38)), 201],
  ['weights below what is normal', changed(set('decoder.bias', 0, 1e-45)), 201],
  [
    'a tensor too many',
    changed((tensors) => tensors.set('attention.weight', zeros(2, 2))),
    400,
    /attention\.weight/,
  ],
  [
    'a tensor of the name __proto__',
    changed((tensors) => tensors.set('__proto__', zeros(1))),
    400,
    /__proto__/,
  ],
  ['a tensor of an empty name', changed((tensors) => tensors.set('', zeros(1))), 400, /tensor-mismatch/],
  [
    'an embedding of one axis',
    changed((tensors) => tensors.set('encoder.weight', zeros(40))),
    400,
    /encoder\.weight/,
  ],
  [
    'an embedding without columns',
    changed((tensors) => tensors.set('encoder.weight', zeros(8, 0))),
    400,
    /encoder\.weight/,
  ],
  [
    'a bias of another size',
    changed((tensors) => tensors.set('decoder.bias', zeros(9))),
    400,
    /decoder\.bias/,
  ],
  [
    'a layer whose second bias is missing',
    changed((tensors) => tensors.delete([...tensors.keys()].find((name) => name.includes('bias_hh'))!)),
    400,
    /bias_hh/,
  ],
  ['no tensor', changed((tensors) => tensors.clear()), 400, /encoder\.weight/],
  ['metadata in all scripts', changed(() => {}, { автор: '名前', empty: '' }), 201],
  ['metadata of a megabyte', changed(() => {}, { notes: 'x'.repeat(1_000_000) }), 201],
  ['a header with spaces after it', headed((json) => json.trimEnd() + ' '.repeat(1000)), 201],
  ['a header with spaces before it', headed((json) => ` ${json}`), 201],
  ['a header with a byte-order mark', headed((json) => `\ufeff${json}`), 400, /checkpoint-corrupt/],
  ['a header with a key twice', headed((json) => json.replace(/("decoder\.bias":\{.*?\]\})/, '$1,$1')), 201],
  [
    'a type of numbers in small letters',
    headed((json) => json.replaceAll('"F32"', '"f32"')),
    400,
    /dtype "f32"/,
  ],
  [
    'a quantized type of numbers',
    headed((json) => json.replaceAll('"F32"', '"F8_E4M3"')),
    400,
    /dtype "F8_E4M3"/,
  ],
  [
    'a shape beyond all integers',
    headed((json) => json.replace('"shape":[', '"shape":[9007199254740993,')),
    400,
    /checkpoint-corrupt/,
  ],
  [
    'weights as PyTorch pickles them',
    weighing(Buffer.from('80027d71002e', 'hex')),
    400,
    /checkpoint-corrupt|pickle/,
  ],
  [
    'weights as a .zip, which torch.save makes',
    weighing(Buffer.from('504b03040000080800000000', 'hex')),
    400,
    /checkpoint-corrupt|torch\.save/,
  ],
  ['weights of no byte', weighing(Buffer.alloc(0)), 400, /0 bytes/],
  [
    'a pointer of Git LFS instead of weights',
    weighing(Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n')),
    400,
    /checkpoint-corrupt/,
  ],
  [
    'a page of HTML instead of weights',
    weighing(Buffer.from('<!DOCTYPE html><html></html>')),
    400,
    /checkpoint-corrupt/,
  ],
  [
    'weights twice',
    importing((world) => [file('model', model(world)), file('model', model(world)), vocabulary]),
    400,
    /twice/,
  ],
  [
    'an archive of a run that is a text',
    async (world) => {
      const { statusCode, body, headers } = await world.app.inject({
        method: 'POST',
        url: '/experiments/import/archive',
        headers: { 'content-type': 'application/zip' },
        payload: 'no archive',
      });
      return { status: statusCode, text: body, headers, json: () => JSON.parse(body) };
    },
    400,
    (answer) => assert.match(answer.text, /zip|archive/),
  ],
];

function weighing(weights: Uint8Array): Ask {
  return importing(() => [file('model', weights), vocabulary]);
}
