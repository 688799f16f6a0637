import { ModelConfig } from '../contracts/model.js';
import { appError } from '../errors.js';
import { biasFromPyTorch, gatesFromPyTorch } from './pytorch-gates.js';
import {
  DECODER_BIAS,
  DECODER_WEIGHT,
  ENCODER_WEIGHT,
  layerNames,
  type PyTorchLayerNames,
  type PyTorchLayout,
} from './pytorch-names.js';
import type { HostTensor } from './safetensors.js';

/** A model that came from PyTorch. */
export interface PyTorchModel {
  /** Sizes and tying as the tensors show them; no dropout. */
  readonly modelConfig: ModelConfig;
  readonly vocabularySize: number;
  /** By gatelm's names, in gatelm's packing. */
  readonly weights: ReadonlyMap<string, HostTensor>;
}

/** Largest width, most layers and tokens that are read, as in the model's contract. */
const MAX_WIDTH = 8192;
const MAX_LAYERS = 16;
const MAX_VOCABULARY = 1_000_000;

/**
 * Reads a model under the names of PyTorch's examples/word_language_model. Sizes, number of layers and tying are
 * inferred: weights are tied when `decoder.weight` is left out or equal to `encoder.weight`. The two biases of a layer
 * are summed, which is all that an LSTM sees of them; a layer or an output without a bias has one of zeros.
 * @param tensors what a file held; nothing about them is believed
 * @throws tensor-mismatch, naming the first tensor that is missing, too many, of another shape or not finite
 */
export function importFromPyTorch(tensors: ReadonlyMap<string, HostTensor>): PyTorchModel {
  const source = new TensorReader(tensors);
  const encoder = source.matrix(ENCODER_WEIGHT, 'V, D');
  const [vocabularySize, embeddingSize] = encoder.shape as [number, number];
  expectAtMost(ENCODER_WEIGHT, 'tokens', vocabularySize, MAX_VOCABULARY);
  expectAtMost(ENCODER_WEIGHT, 'columns', embeddingSize, MAX_WIDTH);

  const weights = new Map<string, HostTensor>([['embedding.table', encoder]]);
  const hiddenSizes: number[] = [];
  for (const names of findLayers(tensors)) {
    const inputSize = hiddenSizes.at(-1) ?? embeddingSize;
    const layer = readLayer(source, names, inputSize);
    weights.set(`lstm${hiddenSizes.length}.wx`, layer.wx);
    weights.set(`lstm${hiddenSizes.length}.wh`, layer.wh);
    weights.set(`lstm${hiddenSizes.length}.b`, layer.b);
    hiddenSizes.push(layer.hiddenSize);
  }

  const lastSize = hiddenSizes.at(-1)!;
  const decoder =
    lastSize === embeddingSize
      ? source.find(DECODER_WEIGHT, [vocabularySize, lastSize])
      : source.read(DECODER_WEIGHT, [vocabularySize, lastSize]);
  const tieWeights = decoder === null || isSame(decoder, encoder);
  if (!tieWeights) weights.set('output.w', decoder);
  weights.set('output.b', source.find(DECODER_BIAS, [vocabularySize]) ?? zeros(vocabularySize));
  source.expectNoOther();
  return {
    modelConfig: ModelConfig.parse({ embeddingSize, hiddenSizes, tieWeights }),
    vocabularySize,
    weights,
  };
}

function findLayers(tensors: ReadonlyMap<string, HostTensor>): PyTorchLayerNames[] {
  const layout: PyTorchLayout = tensors.has(layerNames('separate', 0).inputWeights) ? 'separate' : 'joint';
  const layers: PyTorchLayerNames[] = [layerNames(layout, 0)];
  for (;;) {
    const next = layerNames(layout, layers.length);
    if (!tensors.has(next.inputWeights)) return layers;
    if (layers.length === MAX_LAYERS) {
      const expected = `no such tensor: at most ${MAX_LAYERS} layers are read`;
      throw mismatch(next.inputWeights, expected, 'one');
    }
    layers.push(next);
  }
}

/** One LSTM layer. The width H is that of the recurrent weights, [4H, H]; all else must agree with it. */
function readLayer(source: TensorReader, names: PyTorchLayerNames, inputSize: number) {
  const recurrent = source.matrix(names.recurrentWeights, '4H, H');
  const hiddenSize = recurrent.shape[1]!;
  expectAtMost(names.recurrentWeights, 'columns', hiddenSize, MAX_WIDTH);
  const packed = 4 * hiddenSize;
  const input = source.read(names.inputWeights, [packed, inputSize]);
  const wh = gatesFromPyTorch(source.read(names.recurrentWeights, [packed, hiddenSize]));
  const hasBias = source.has(names.inputBias) || source.has(names.recurrentBias);
  const inputBias = hasBias ? source.read(names.inputBias, [packed]) : zeros(packed);
  const recurrentBias = hasBias ? source.read(names.recurrentBias, [packed]) : zeros(packed);
  const sum = inputBias.values.map((value, index) => {
    const other = recurrentBias.values[index]!;
    return other === 0 ? value : value + other; // keeps −0, so that an export comes back bit by bit
  });
  return {
    hiddenSize,
    wx: gatesFromPyTorch(input),
    wh,
    b: biasFromPyTorch({ shape: [packed], values: sum }),
  };
}

/** Takes tensors by name, checks them, and knows which were not taken. */
class TensorReader {
  readonly #tensors: ReadonlyMap<string, HostTensor>;
  readonly #taken = new Set<string>();

  constructor(tensors: ReadonlyMap<string, HostTensor>) {
    this.#tensors = tensors;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** A tensor of this shape, or null when there is none of the name. */
  find(name: string, shape: readonly number[]): HostTensor | null {
    return this.#tensors.has(name) ? this.read(name, shape) : null;
  }

  /** A tensor of this shape. */
  read(name: string, shape: readonly number[]): HostTensor {
    const tensor = this.#tensors.get(name);
    if (!tensor || tensor.shape.join() !== shape.join()) throw mismatch(name, show(shape), actual(tensor));
    const bad = tensor.values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw mismatch(name, 'finite numbers', `${tensor.values[bad]} at element ${bad}`);
    this.#taken.add(name);
    return tensor;
  }

  /** A tensor of any two sizes, neither of them 0. */
  matrix(name: string, legend: string): HostTensor {
    const tensor = this.#tensors.get(name);
    if (tensor?.shape.length !== 2 || tensor.shape.includes(0))
      throw mismatch(name, `[${legend}]`, actual(tensor));
    return this.read(name, tensor.shape);
  }

  /** Refuses what nobody has read: a model of another kind would otherwise be served as half of itself. */
  expectNoOther(): void {
    for (const [name, tensor] of this.#tensors) {
      if (!this.#taken.has(name)) throw mismatch(name, 'no such tensor', actual(tensor));
    }
  }
}

/** A bias that was left out: `nn.LSTM` and `nn.Linear` have none with `bias=False`. */
function zeros(size: number): HostTensor {
  return { shape: [size], values: new Float32Array(size) };
}

function isSame(a: HostTensor, b: HostTensor): boolean {
  return a.values.every((value, index) => value === b.values[index]);
}

function expectAtMost(tensor: string, what: string, count: number, most: number): void {
  if (count > most) throw mismatch(tensor, `at most ${most} ${what}`, `${count}`);
}

function actual(tensor: HostTensor | undefined): string {
  return tensor ? show(tensor.shape) : 'no such tensor';
}

function show(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

function mismatch(tensor: string, expected: string, actualText: string) {
  return appError('tensor-mismatch', { tensor, expected, actual: actualText });
}
