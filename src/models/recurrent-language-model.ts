import { DropoutConfig, type ModelConfig } from '../contracts/model.js';
import { appError } from '../errors.js';
import type { CellSource } from '../kernels/indexed-rows.js';
import type { Kernels } from '../kernels/kernels.js';
import { TimeDropout } from '../layers/dropout.js';
import type { Parameter } from '../layers/parameter.js';
import { type LayerState, RecurrentLayer } from '../layers/recurrent-layer.js';
import { SoftmaxOutput } from '../layers/softmax-output.js';
import { TimeEmbedding } from '../layers/time-embedding.js';
import { expectTokenIds } from '../layers/token-ids.js';
import type { TopLogits } from '../tensor/logits.js';
import { RANDOM_STREAMS, RandomSource } from '../tensor/random.js';
import * as tf from '../tensor/tensorflow.js';
import { tidyValue } from '../tensor/tidy-value.js';
import { activationGradient, temporalActivationGradient } from './activation-regularization.js';
import { createCell } from './create-cell.js';
import type { Inspection, LanguageModel, LayerActivations, Objective, TokenBatch } from './language-model.js';
import { layerName, type ModelParameters, parametersFromWeights } from './model-parameters.js';
import { State } from './state.js';

export interface RecurrentLanguageModelOptions {
  readonly kernels: Kernels;
  /** Seed of the masks. */
  readonly seed: number;
  readonly precision: 'float32' | 'bfloat16';
  readonly parameters: ModelParameters;
}

/** A recurrent layer and the dropout after it. */
interface Block {
  readonly layer: RecurrentLayer;
  readonly dropout: TimeDropout;
}

/**
 * The recurrent language model: embedding, dropout, recurrent layers with dropout after each, softmax over the vocabulary.
 *
 *     ids [T, N] → [T, N, D] → … → [T, N, H] → losses [T·N]
 *
 * One class serves the book's Rnnlm (one layer, no dropout), its BetterRnnlm (two layers, dropout, tied weights), Zaremba's
 * model, AWD-LSTM, and models of other cells: they differ in their ModelConfig only. Created by create-model.ts.
 *
 * References: Saitoh, Deep Learning from Scratch 2, chapter 6; Zaremba et al. 2014, arXiv 1409.2329; Merity et al.
 * 2017, arXiv 1708.02182.
 */
export class RecurrentLanguageModel implements LanguageModel {
  readonly kernels: Kernels;
  readonly vocabularySize: number;
  readonly parameters: readonly Parameter[];
  readonly random: RandomSource;
  readonly #config: ModelConfig;
  readonly #precision: RecurrentLanguageModelOptions['precision'];
  readonly #embedding: TimeEmbedding;
  readonly #inputDropout: TimeDropout;
  readonly #blocks: readonly Block[];
  readonly #output: SoftmaxOutput;

  constructor(config: ModelConfig, vocabularySize: number, options: RecurrentLanguageModelOptions) {
    const { dropout, embeddingSize, hiddenSizes } = config;
    const { kernels, precision, parameters: weights } = options;
    const bfloat16 = precision === 'bfloat16';
    const random = new RandomSource(options.seed, RANDOM_STREAMS.dropout);
    const cell = createCell(config.cell);
    const timeDropout = (name: string, rate: number) =>
      new TimeDropout(`${name}.dropout`, { kernels, kind: dropout.kind, rate, random });

    this.kernels = kernels;
    this.vocabularySize = vocabularySize;
    this.random = random;
    this.#config = config;
    this.#precision = precision;
    this.#embedding = new TimeEmbedding('embedding', weights.embedding, {
      kernels,
      dropout: { rate: dropout.embedding, random },
    });
    this.#inputDropout = timeDropout('input', dropout.input);
    this.#blocks = weights.layers.map((layerWeights, index) => {
      const name = layerName(cell, index);
      const sizes = { inputSize: hiddenSizes[index - 1] ?? embeddingSize, hiddenSize: hiddenSizes[index]! };
      const layer = new RecurrentLayer(name, cell, layerWeights, sizes, {
        ...{ kernels, random, bfloat16 },
        weightDrop: dropout.recurrentWeights,
      });
      const isLast = index === weights.layers.length - 1;
      return { layer, dropout: timeDropout(name, isLast ? dropout.output : dropout.hidden) };
    });
    this.#output = new SoftmaxOutput('output', weights.outputWeights, weights.outputBias, {
      kernels,
      bfloat16,
    });
    this.parameters = [...new Set(this.#layers.flatMap((layer) => layer.parameters))];
  }

  get rowsAreIndependent(): boolean {
    return this.kernels.rowsAreIndependent && this.#blocks.every(({ layer }) => layer.rowsAreIndependent);
  }

  accumulateGradients(batch: TokenBatch, objective: Objective): Float32Array {
    return tidyValue(() => this.#accumulate(batch, objective).losses);
  }

  accumulateGradientsAndHiddens(batch: TokenBatch, objective: Objective) {
    let losses!: Float32Array;
    const hiddens = tf.tidy(() => {
      const run = this.#accumulate(batch, objective);
      losses = run.losses;
      return flatten(run.dropped);
    });
    return { losses, hiddens };
  }

  losses({ inputs, targets, time, batchSize }: TokenBatch): Float32Array {
    return tidyValue(() => {
      const { dropped } = this.#forward(inputs, time, batchSize, false);
      return this.#output.losses(dropped, targets).dataSync<'float32'>();
    });
  }

  lossesAndHiddens({ inputs, targets, time, batchSize }: TokenBatch) {
    let losses!: Float32Array;
    const hiddens = tf.tidy(() => {
      const hiddens = flatten(this.#forward(inputs, time, batchSize, false).dropped); // [M, H]
      losses = this.#output.losses(hiddens, targets).dataSync<'float32'>();
      return hiddens;
    });
    return { losses, hiddens };
  }

  inspect(
    { inputs, targets, time, batchSize }: TokenBatch,
    ablated: readonly (readonly number[])[] = [],
  ): Inspection {
    return tf.tidy(() => {
      let x = this.#embedding.forward(inputs, time, batchSize, false);
      const layers: LayerActivations[] = [];
      for (const [index, { layer }] of this.#blocks.entries()) {
        const { hiddens, channels } = layer.inspect(x, ablated[index]);
        layers.push(channels);
        x = hiddens;
      }
      const hiddens = flatten(x);
      const losses = this.#output.losses(hiddens, targets).dataSync<'float32'>();
      return { losses, logits: this.#output.logits(hiddens), layers };
    });
  }

  read(ids: Int32Array): void {
    tf.tidy(() => {
      this.#forward(ids, ids.length, 1, false);
    });
  }

  nextLogits(ids: Int32Array): tf.Tensor2D {
    return tf.tidy(() => this.#output.logits(this.#forward(ids, 1, ids.length, false).dropped));
  }

  nextTokens(ids: Int32Array, count: number): TopLogits {
    expectTokenIds(ids, ids.length, this.vocabularySize, 'RecurrentLanguageModel');
    try {
      const { top, states } = this.kernels.nextTokens({
        ids,
        count,
        embedding: this.#embedding.table.value,
        layers: this.#blocks.map(({ layer }) => layer.step(ids.length)),
        output: this.#output.packed(),
      });
      for (const [index, { layer }] of this.#blocks.entries()) layer.putState(states[index] as LayerState);
      return top;
    } catch (error) {
      this.putState(null); // kernels may have changed it in place
      throw error;
    }
  }

  takeState(): State | null {
    const states = this.#blocks.map(({ layer }) => layer.takeState());
    return states.every((state) => state !== null) ? joinLayers(states) : null;
  }

  putState(state: State | null): void {
    const parts = this.#blocks.map(
      ({ layer }, index) => state && layerState(state, index, layer.cell.stateParts),
    );
    for (const [index, { layer }] of this.#blocks.entries()) layer.putState(parts[index]!);
  }

  emptyState(streams: number): State {
    return joinLayers(this.#blocks.map(({ layer }) => layer.emptyState(streams)));
  }

  copyWithoutDropout(): LanguageModel {
    const config = { ...this.#config, dropout: DropoutConfig.parse({}) };
    const weights = new Map(this.parameters.map(({ name, value }) => [name, tf.mul(value, 1)])); // clones share memory
    return new RecurrentLanguageModel(config, this.vocabularySize, {
      ...{ kernels: this.kernels, precision: this.#precision, seed: 0 },
      parameters: parametersFromWeights(config, this.vocabularySize, weights),
    });
  }

  dispose(): void {
    for (const layer of this.#layers) layer.dispose();
    for (const parameter of this.parameters) parameter.dispose();
  }

  get #layers() {
    return [this.#embedding, ...this.#blocks.map(({ layer }) => layer), this.#output];
  }

  #accumulate({ inputs, targets, time, batchSize }: TokenBatch, objective: Objective) {
    const { raw, dropped } = this.#forward(inputs, time, batchSize, true);
    const { losses, dx } = this.#output.lossesAndGradient(dropped, targets, objective.gradientScale);
    let dOutput: tf.Tensor = dx;
    const dDropped = activationGradient(dropped, objective);
    if (dDropped) dOutput = tf.add(dOutput, dDropped);
    let dRaw = temporalActivationGradient(raw, objective);
    for (const { layer, dropout } of this.#blocks.toReversed()) {
      dOutput = dropout.backward(dOutput);
      if (dRaw) dOutput = tf.add(dOutput, dRaw);
      dOutput = layer.backward(dOutput);
      dRaw = null; // only the last layer's activations are regularized
    }
    this.#embedding.backward(this.#inputDropout.backward(dOutput));
    return { losses: losses.dataSync<'float32'>(), dropped };
  }

  /** @returns the last layer's output before and after its dropout, [T, N, H] each */
  #forward(ids: Int32Array, time: number, batchSize: number, training: boolean) {
    let x = this.#read(ids, time, batchSize, training);
    let raw!: tf.Tensor3D;
    let dropped!: tf.Tensor3D;
    for (const { layer, dropout } of this.#blocks) {
      raw = layer.forward(x, training);
      dropped = dropout.forward(raw, training);
      x = dropped;
    }
    return { raw, dropped };
  }

  /** The input of the first layer. */
  #read(ids: Int32Array, time: number, batchSize: number, training: boolean): CellSource {
    const eachStepHasAMask = training && this.#inputDropout.rate > 0;
    if (!eachStepHasAMask) return this.#embedding.forwardShared(ids, time, batchSize, training);
    return this.#inputDropout.forward(this.#embedding.forward(ids, time, batchSize, true), true);
  }
}

function flatten(x: tf.Tensor3D): tf.Tensor2D {
  const [time, batchSize, width] = x.shape;
  return tf.reshape(x, [time * batchSize, width]);
}

/** Joins the states of the layers; the names are those in a checkpoint, such as `0.hidden`. */
function joinLayers(states: readonly LayerState[]): State {
  const parts = states.flatMap((state, layer) =>
    Object.entries(state).map(([part, tensor]) => [`${layer}.${part}`, tensor] as const),
  );
  return new State(new Map(parts));
}

function layerState(state: State, layer: number, parts: readonly string[]): LayerState {
  const named = parts.map((part) => {
    const name = `${layer}.${part}`;
    const tensor = state.tensors.get(name);
    if (!tensor)
      throw appError('tensor-mismatch', { tensor: `state.${name}`, expected: 'a tensor', actual: 'none' });
    return [part, tensor] as const;
  });
  return Object.fromEntries(named);
}
