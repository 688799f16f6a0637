/**
 * The names that PyTorch programs give the tensors of an LSTM language model, brought to those of pytorch-names.ts:
 *
 * - tensors that `safetensors.torch.save_model` wrote once for two names: the metadata says `alias → name`;
 * - `module.` and `_orig_mod.`, which DataParallel, torch.compile and awd-lstm-lm's WeightDrop put between;
 * - one prefix that all names have, such as `model.` of a Lightning module;
 * - awd-lstm-lm's `weight_hh_l0_raw`: the recurrent weights before some of them are dropped;
 * - other usual names of the three parts, see {@link PARTS}.
 */
import { appError } from '../errors.js';
import { LAYER_MODULES } from './pytorch-cells.js';
import { DECODER_WEIGHT, ENCODER_WEIGHT, layerTensorName } from './pytorch-names.js';
import type { HostTensor } from './safetensors.js';

type Tensors = ReadonlyMap<string, HostTensor>;

/** What wraps a module, at any depth. */
const WRAPPERS: ReadonlySet<string> = new Set(['module', '_orig_mod']);

/** Other names of a part, as programs have them. */
const PARTS: Readonly<Record<string, string>> = {
  embedding: 'encoder',
  embeddings: 'encoder',
  embed: 'encoder',
  emb: 'encoder',
  word_embedding: 'encoder',
  word_embeddings: 'encoder',
  ...Object.fromEntries(
    LAYER_MODULES.flatMap((name) => [
      [name, 'rnn'],
      [`${name}s`, 'rnns'],
    ]),
  ),
  fc: 'decoder',
  linear: 'decoder',
  out: 'decoder',
  output: 'decoder',
  head: 'decoder',
  lm_head: 'decoder',
};

/**
 * The tensors of a file under the names of word_language_model.
 * @param metadata of the file
 * @throws tensor-mismatch, naming what the file has, where it is not an LSTM language model or two of its names mean the same
 */
export function nameAsWordLanguageModel(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>>,
): Map<string, HostTensor> {
  const given = withAliases(tensors, metadata);
  const paths = new Map([...given.keys()].map((name) => [name, unwrap(name)] as const));
  const shared = sharedPrefix([...paths.values()]);
  const named = new Map<string, HostTensor>();
  for (const [name, tensor] of given) {
    const known = renamePart(paths.get(name)!.slice(shared)).join('.');
    if (named.has(known)) throw mismatch(known, 'one tensor', `two, the second as "${name}"`, tensors);
    named.set(known, tensor);
  }
  takeRawWeights(named);
  if (!named.has(ENCODER_WEIGHT) && named.has(DECODER_WEIGHT))
    named.set(ENCODER_WEIGHT, named.get(DECODER_WEIGHT)!); // tied, and written under the other name
  expectParts(named, tensors);
  return named;
}

/** An alias stands for a tensor that is written once; what is there already, or points to nothing, is no alias. */
function withAliases(tensors: Tensors, metadata: Readonly<Record<string, string>>): Tensors {
  const all = new Map(tensors);
  for (const [alias, name] of Object.entries(metadata)) {
    const tensor = tensors.get(name);
    if (tensor && !all.has(alias)) all.set(alias, tensor);
  }
  return all;
}

function unwrap(name: string): string[] {
  return name.split('.').filter((part) => !WRAPPERS.has(part));
}

/** How many parts all names begin with; at least two parts of each are left, such as `encoder.weight`. */
function sharedPrefix(paths: readonly string[][]): number {
  const [first] = paths;
  if (!first || paths.length < 2) return 0;
  const most = Math.min(...paths.map((path) => path.length)) - 2;
  let shared = 0;
  while (shared < most && paths.every((path) => path[shared] === first[shared])) shared++;
  return shared;
}

function renamePart([part = '', ...rest]: string[]): string[] {
  return [Object.hasOwn(PARTS, part) ? PARTS[part]! : part, ...rest];
}

/** The raw weights are the learned ones; what stands beside them is a copy of them with some dropped. */
function takeRawWeights(named: Map<string, HostTensor>): void {
  for (const [name, tensor] of [...named]) {
    if (!name.endsWith('_raw')) continue;
    named.delete(name);
    named.set(name.slice(0, -'_raw'.length), tensor);
  }
}

/** Without these parts nothing else would tell what is wrong. */
function expectParts(named: Tensors, tensors: Tensors): void {
  const layers = (['joint', 'separate'] as const).map((layout) => layerTensorName(layout, 0, 'weight_ih'));
  const needed: readonly [readonly string[], string][] = [
    [[ENCODER_WEIGHT, DECODER_WEIGHT], '[V, D]'],
    [layers, '[4H, D]'],
  ];
  for (const [names, expected] of needed) {
    if (!names.some((name) => named.has(name)))
      throw mismatch(names[0]!, expected, 'no such tensor', tensors);
  }
}

function mismatch(tensor: string, expected: string, actual: string, tensors: Tensors) {
  const has = [...tensors].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  const shown = has.slice(0, MAX_SHOWN).join(', ') + (has.length > MAX_SHOWN ? ', …' : '');
  return appError('tensor-mismatch', {
    tensor,
    expected,
    actual: `${actual}. The file has ${has.length === 0 ? 'no tensors' : shown}`,
  });
}

const MAX_SHOWN = 40;
