import { DropoutConfig, type ModelConfig } from '../contracts/model.js';
import { TimeDropout } from '../layers/dropout.js';
import { zeroLstmState } from '../layers/lstm-state.js';
import type { Parameter } from '../layers/parameter.js';
import { SoftmaxOutput } from '../layers/softmax-output.js';
import { TimeEmbedding } from '../layers/time-embedding.js';
import { TimeLstm } from '../layers/time-lstm.js';
import { expectTokenIds } from '../layers/token-ids.js';
import { fusedKernels } from '../tensor/backend.js';
import { RANDOM_STREAMS, RandomSource } from '../tensor/random.js';
import * as tf from '../tensor/tensorflow.js';
import { tidyValue } from '../tensor/tidy-value.js';
import { initializeParameters } from './initialization.js';
import type {
  Inspection,
  LanguageModel,
  LanguageModelState,
  LayerActivations,
  Objective,
  TokenBatch,
} from './language-model.js';
import { composedTopLogits, readTop, type TopLogits } from './logits.js';
import { type LstmParameters, parametersFromWeights } from './lstm-parameters.js';
import { disposeStates } from './state-rows.js';

export interface LstmLanguageModelOptions {
  /** Seed of the initial weights and of the masks. */
  readonly seed: number;
  readonly precision: 'float32' | 'bfloat16';
  /** Weights to begin with; drawn as the config says when left out. */
  readonly parameters?: LstmParameters;
}

/** An LSTM layer and the dropout behind it. */
interface Block {
  readonly lstm: TimeLstm;
  readonly dropout: TimeDropout;
}

/**
 * The LSTM language model: embedding, dropout, LSTM layers with dropout behind each, softmax over the vocabulary.
 *
 *     ids [T, N] → [T, N, D] → … → [T, N, H] → losses [T·N]
 *
 * One class is the book's Rnnlm (one layer, no dropout), its BetterRnnlm (two layers, dropout, tied weights), Zaremba's
 * and AWD-LSTM's: they differ in their ModelConfig only.
 *
 * References: Saitoh, Deep Learning from Scratch 2, chapter 6; Zaremba et al. 2014, arXiv 1409.2329; Merity et al.
 * 2017, arXiv 1708.02182.
 */
export class LstmLanguageModel implements LanguageModel {
  readonly config: ModelConfig;
  readonly precision: LstmLanguageModelOptions['precision'];
  readonly vocabularySize: number;
  readonly parameters: readonly Parameter[];
  readonly random: RandomSource;
  readonly #embedding: TimeEmbedding;
  readonly #inputDropout: TimeDropout;
  readonly #blocks: readonly Block[];
  readonly #output: SoftmaxOutput;

  constructor(config: ModelConfig, vocabularySize: number, options: LstmLanguageModelOptions) {
    const { dropout } = config;
    const bfloat16 = options.precision === 'bfloat16';
    const random = new RandomSource(options.seed, RANDOM_STREAMS.dropout);
    const weights = options.parameters ?? initializeParameters(config, vocabularySize, options.seed);
    const timeDropout = (name: string, rate: number) => new TimeDropout(name, dropout.kind, rate, random);

    this.config = config;
    this.precision = options.precision;
    this.vocabularySize = vocabularySize;
    this.random = random;
    this.#embedding = new TimeEmbedding('embedding', weights.embedding, { rate: dropout.embedding, random });
    this.#inputDropout = timeDropout('input.dropout', dropout.input);
    this.#blocks = weights.layers.map(({ wx, wh, b }, layer) => {
      const isLast = layer === weights.layers.length - 1;
      const lstm = new TimeLstm(`lstm${layer}`, wx, wh, b, {
        weightDrop: dropout.recurrentWeights,
        random,
        bfloat16,
      });
      return { lstm, dropout: timeDropout(`lstm${layer}.dropout`, isLast ? dropout.output : dropout.hidden) };
    });
    this.#output = new SoftmaxOutput('output', weights.outputWeights, weights.outputBias, { bfloat16 });
    this.parameters = [
      ...new Set(
        [this.#embedding, ...this.#blocks.map(({ lstm }) => lstm), this.#output].flatMap((l) => l.parameters),
      ),
    ];
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

  inspect({ inputs, targets, time, batchSize }: TokenBatch): Inspection {
    return tf.tidy(() => {
      let x = this.#embedding.forward(inputs, time, batchSize, false);
      const layers: LayerActivations[] = [];
      for (const { lstm } of this.#blocks) {
        const activations = lstm.inspect(x);
        layers.push(activations);
        x = activations.hiddens;
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
    const kernels = fusedKernels();
    if (!kernels) return tidyValue(() => composedTopLogits(this.nextLogits(ids), count));
    expectTokenIds(ids, ids.length, this.vocabularySize, 'LstmLanguageModel');
    const states = this.takeState() ?? this.emptyState(ids.length);
    try {
      const top = tidyValue(() =>
        readTop(
          kernels.nextTokens({
            ids: tf.tensor1d(ids, 'int32'),
            count,
            embedding: this.#embedding.table.value,
            layers: this.#blocks.map(({ lstm }, layer) => ({ ...states[layer]!, ...lstm.packed() })),
            output: this.#output.packed(),
            bf16: this.precision === 'bfloat16',
          }),
        ),
      );
      this.putState(states);
      return top;
    } catch (error) {
      disposeStates(states);
      throw error;
    }
  }

  takeState(): LanguageModelState {
    const states = this.#blocks.map(({ lstm }) => lstm.takeState());
    return states.every((state) => state !== null) ? states : null;
  }

  putState(state: LanguageModelState): void {
    this.#blocks.forEach(({ lstm }, layer) => {
      lstm.putState(state?.[layer] ?? null);
    });
  }

  emptyState(streams: number) {
    return this.#blocks.map(({ lstm }) => zeroLstmState(streams, lstm.hiddenSize));
  }

  copyWithoutDropout(): LstmLanguageModel {
    const config = { ...this.config, dropout: DropoutConfig.parse({}) };
    const weights = new Map(this.parameters.map(({ name, value }) => [name, tf.mul(value, 1)])); // clones share memory
    return new LstmLanguageModel(config, this.vocabularySize, {
      seed: 0,
      precision: this.precision,
      parameters: parametersFromWeights(config, this.vocabularySize, weights),
    });
  }

  dispose(): void {
    for (const layer of [this.#embedding, ...this.#blocks.map(({ lstm }) => lstm), this.#output])
      layer.dispose();
    for (const parameter of this.parameters) parameter.dispose();
  }

  #accumulate({ inputs, targets, time, batchSize }: TokenBatch, objective: Objective) {
    const { raw, dropped } = this.#forward(inputs, time, batchSize, true);
    const { losses, dx } = this.#output.lossesAndGradient(dropped, targets, objective.gradientScale);
    let dOutput = dx;
    const dDropped = activationGradient(dropped, objective);
    if (dDropped) dOutput = tf.add(dOutput, dDropped);
    let dRaw = temporalActivationGradient(raw, objective);
    for (const { lstm, dropout } of this.#blocks.toReversed()) {
      dOutput = dropout.backward(dOutput);
      if (dRaw) dOutput = tf.add(dOutput, dRaw);
      dOutput = lstm.backward(dOutput);
      dRaw = null; // only the last layer's activations are regularized
    }
    this.#embedding.backward(this.#inputDropout.backward(dOutput));
    return { losses: losses.dataSync<'float32'>(), dropped };
  }

  /** @returns the last LSTM layer's output before and after its dropout, [T, N, H] each */
  #forward(ids: Int32Array, time: number, batchSize: number, training: boolean) {
    let x = this.#inputDropout.forward(this.#embedding.forward(ids, time, batchSize, training), training);
    let raw = x;
    for (const { lstm, dropout } of this.#blocks) {
      raw = lstm.forward(x, training);
      x = dropout.forward(raw, training);
    }
    return { raw, dropped: x };
  }
}

function flatten(x: tf.Tensor3D): tf.Tensor2D {
  const [time, batchSize, width] = x.shape;
  return tf.reshape(x, [time * batchSize, width]);
}

/** The gradient of α·mean(h²) (activation regularization); null when it is zero. */
function activationGradient(
  dropped: tf.Tensor3D,
  { activationRegularization: alpha }: Objective,
): tf.Tensor3D | null {
  return alpha === 0 ? null : tf.mul(dropped, (2 * alpha) / dropped.size);
}

/** The gradient of β·mean((h_t+1 − h_t)²) (temporal activation regularization); null when it is zero. */
function temporalActivationGradient(raw: tf.Tensor3D, objective: Objective): tf.Tensor3D | null {
  const [time, batchSize, width] = raw.shape;
  const beta = objective.temporalActivationRegularization;
  if (beta === 0 || time < 2) return null;
  const step = [time - 1, batchSize, width] as [number, number, number];
  const difference = tf.sub(tf.slice(raw, [1, 0, 0], step), tf.slice(raw, [0, 0, 0], step)); // [T - 1, N, H]
  const zeros = tf.zeros([1, batchSize, width]);
  const gradient = tf.sub(tf.concat([zeros, difference]), tf.concat([difference, zeros]));
  return tf.mul(gradient, (2 * beta) / difference.size) as tf.Tensor3D;
}
