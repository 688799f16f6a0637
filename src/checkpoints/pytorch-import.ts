import { ModelConfig } from '../contracts/model.js';
import { appError } from '../errors.js';
import { createCell } from '../models/create-cell.js';
import { layerName } from '../models/model-parameters.js';
import { type LayerTensors, type PyTorchCell, pytorchCell, recognizeCell } from './pytorch-cells.js';
import {
  DECODER_BIAS,
  DECODER_WEIGHT,
  ENCODER_WEIGHT,
  layerTensorName,
  type PyTorchLayout,
} from './pytorch-names.js';
import type { HostTensor } from './safetensors.js';

/** A model that came from PyTorch. */
export interface PyTorchModel {
  /** Cell, sizes and tying as the tensors show them; no dropout. */
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
  const { layout, count } = findLayers(tensors);
  const config = recognizeCell((part) => tensors.get(layerTensorName(layout, 0, part)));
  const cell = createCell(config);
  for (let layer = 0; layer < count; layer++) {
    const nameOf = (part: string) => layerTensorName(layout, layer, part);
    const read = readLayer(source, nameOf, pytorchCell(config), hiddenSizes.at(-1) ?? embeddingSize);
    for (const [weight, tensor] of Object.entries(read.weights))
      weights.set(`${layerName(cell, layer)}.${weight}`, tensor);
    hiddenSizes.push(read.hiddenSize);
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
    modelConfig: ModelConfig.parse({ cell: config, embeddingSize, hiddenSizes, tieWeights }),
    vocabularySize,
    weights,
  };
}

const INPUT_WEIGHTS = 'weight_ih';
const RECURRENT_WEIGHTS = 'weight_hh';
const BIASES = ['bias_ih', 'bias_hh'];

function findLayers(tensors: ReadonlyMap<string, HostTensor>): { layout: PyTorchLayout; count: number } {
  const nameOf = (layout: PyTorchLayout, layer: number) => layerTensorName(layout, layer, INPUT_WEIGHTS);
  const layout: PyTorchLayout = tensors.has(nameOf('separate', 0)) ? 'separate' : 'joint';
  for (let count = 1; ; count++) {
    const next = nameOf(layout, count);
    if (!tensors.has(next)) return { layout, count };
    if (count === MAX_LAYERS) {
      const expected = `no such tensor: at most ${MAX_LAYERS} layers are read`;
      throw mismatch(next, expected, 'one');
    }
  }
}

/** One layer. The width H is that of the recurrent weights, [G·H, H]; all else must agree with it. */
function readLayer(
  source: TensorReader,
  nameOf: (part: string) => string,
  cell: PyTorchCell,
  inputSize: number,
): { hiddenSize: number; weights: LayerTensors } {
  const [gates] = cell.shapes(1, 1)[RECURRENT_WEIGHTS]!;
  const hiddenSize = source.matrix(nameOf(RECURRENT_WEIGHTS), `${gates}H, H`).shape[1]!;
  expectAtMost(nameOf(RECURRENT_WEIGHTS), 'columns', hiddenSize, MAX_WIDTH);
  const hasBias = BIASES.some((part) => source.has(nameOf(part)));
  const tensors = Object.entries(cell.shapes(inputSize, hiddenSize)).map(([part, shape]) => {
    const isLeftOut = !hasBias && BIASES.includes(part);
    return [part, isLeftOut ? zeros(shape[0]!) : source.read(nameOf(part), shape)] as const;
  });
  return { hiddenSize, weights: cell.fromPyTorch(Object.fromEntries(tensors)) };
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
