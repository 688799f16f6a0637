import type { TrainingEvent } from '../contracts/events.js';
import type { OptimizerConfig, ScheduleConfig, TrainingConfig } from '../contracts/training.js';
import { BatchIterator } from '../corpus/batch-iterator.js';
import { appError } from '../errors.js';
import { evaluate } from '../evaluation/evaluate.js';
import {
  type LanguageModel,
  type LanguageModelState,
  parameterCount,
  type TokenBatch,
} from '../models/language-model.js';
import { RANDOM_STREAMS, RandomSource } from '../tensor/random.js';
import type * as tf from '../tensor/tensorflow.js';
import { splitBatch } from './batch-parts.js';
import { drawBpttLength } from './bptt-length.js';
import type { CheckpointSink } from './checkpoint-sink.js';
import { createOptimizer } from './create-optimizer.js';
import { clippingScale, gradientNorm } from './gradient-norm.js';
import { type Optimizer, withEvaluationValues } from './optimizer.js';
import { afterEvaluation, INITIAL_SCHEDULE_STATE, learningRateFactor } from './schedule.js';
import {
  assembleStates,
  nameStates,
  type TrainerProgress,
  type TrainerSnapshot,
} from './trainer-snapshot.js';
import { weightsDigest } from './weights-digest.js';

export interface TrainerOptions {
  readonly model: LanguageModel;
  readonly optimizer: OptimizerConfig;
  readonly schedule: ScheduleConfig;
  readonly training: TrainingConfig;
  /** Token ids of the splits. */
  readonly splits: { readonly train: Int32Array; readonly valid: Int32Array; readonly test: Int32Array };
  readonly sink: CheckpointSink;
  /** Writes a sample with the model as it is; null = no samples. */
  readonly sample: (() => string) | null;
  /** What the training runs on, for its record. */
  readonly environment: {
    readonly attempt: number;
    readonly backend: string;
    readonly kernels: string;
    readonly threads: number;
  };
}

export type StopRequest = 'pause' | 'cancel';

/** How a run ended. */
export type TrainerResult =
  | { readonly type: 'succeeded' }
  | { readonly type: 'stopped'; readonly mode: StopRequest };

/** Why a training was over. */
type EndReason = 'epochs' | 'early-stopping' | 'max-duration';

/** At most this often is a `step` event sent. */
const STEP_EVENT_INTERVAL_MS = 500;

const INITIAL_PROGRESS: TrainerProgress = {
  step: 0,
  epoch: 0,
  position: 0,
  epochLoss: 0,
  epochTokens: 0,
  epochGradNorm: 0,
  epochSteps: 0,
  epochSeconds: 0,
  totalSeconds: 0,
  bestEpoch: null,
  bestValidLoss: null,
  lastValidLoss: null,
  rollbackDivisor: 1,
  schedule: INITIAL_SCHEDULE_STATE,
  maskCounter: 0,
  lengthCounter: 0,
};

/**
 * Trains a language model and says what happens: an async generator of events. Knows no LSTM, no file, no HTTP.
 *
 * A step: read T time steps of N streams, accumulate gradients, clip them by their joint norm, update. An epoch ends
 * with an evaluation on the validation split, with the weights that the optimizer would serve.
 */
export class Trainer {
  readonly #options: TrainerOptions;
  readonly #optimizer: Optimizer;
  readonly #lengths: RandomSource;
  #text: BatchIterator;
  #progress: TrainerProgress = { ...INITIAL_PROGRESS };
  /** The state of each part of the batch (see gradientAccumulation). */
  #states: LanguageModelState[] = [];
  #sinceEvent = { loss: 0, tokens: 0, seconds: 0 };
  #lastEventTime = Number.NEGATIVE_INFINITY;

  constructor(options: TrainerOptions) {
    this.#options = options;
    this.#optimizer = createOptimizer(options.optimizer);
    this.#lengths = new RandomSource(options.training.seed, RANDOM_STREAMS.batchLength);
    this.#text = this.#openText(0);
  }

  get progress(): Readonly<TrainerProgress> {
    return this.#progress;
  }

  /**
   * Trains until all epochs are done, or until `shouldStop` says so between two steps; then everything needed to go on
   * is in the sink.
   * @throws loss-not-finite, out-of-disk, write-failed
   */
  async *run(shouldStop: () => StopRequest | null): AsyncGenerator<TrainingEvent, TrainerResult> {
    const snapshot = this.#options.sink.loadSnapshot();
    if (snapshot) this.restore(snapshot);
    yield this.#startedEvent(snapshot !== null);

    for (let reason = this.#endReason(); ; reason = this.#endReason()) {
      if (reason) {
        yield this.#succeededEvent(reason);
        return { type: 'succeeded' };
      }
      const stop = yield* this.#trainEpoch(shouldStop);
      if (stop === 'pause') yield this.#saveSnapshot(false);
      if (stop) return { type: 'stopped', mode: stop };
      yield* this.#endEpoch();
    }
  }

  /** Everything that resume needs; the tensors are borrowed. */
  snapshot(): TrainerSnapshot {
    const { model } = this.#options;
    const tensors = new Map<string, tf.Tensor>();
    for (const parameter of model.parameters) tensors.set(parameter.name, parameter.value);
    for (const [name, tensor] of this.#optimizer.slots()) tensors.set(`optimizer.${name}`, tensor);
    for (const [name, tensor] of nameStates(this.#states)) tensors.set(name, tensor);
    const counters = { maskCounter: model.random.counter, lengthCounter: this.#lengths.counter };
    return { progress: { ...this.#progress, ...counters }, optimizer: this.#optimizer.scalars(), tensors };
  }

  /** Goes on from a snapshot, whose tensors become the trainer's own. */
  restore({ progress, optimizer, tensors }: TrainerSnapshot): void {
    const { model } = this.#options;
    this.#progress = { ...progress };
    model.random.counter = progress.maskCounter;
    this.#lengths.counter = progress.lengthCounter;
    this.#text = this.#openText(progress.position);
    const slots = new Map<string, tf.Tensor>();
    const states = new Map<string, tf.Tensor>();
    const weights = new Map<string, tf.Tensor>();
    for (const [name, tensor] of tensors) {
      if (name.startsWith('optimizer.')) slots.set(name.slice('optimizer.'.length), tensor);
      else if (name.startsWith('state.')) states.set(name, tensor);
      else weights.set(name, tensor);
    }
    this.#adoptWeights(weights);
    this.#optimizer.restore(optimizer, slots);
    this.#disposeStates();
    this.#states = assembleStates(states);
  }

  /** Frees the optimizer and the states; the model is the caller's. */
  dispose(): void {
    this.#optimizer.dispose();
    this.#disposeStates();
  }

  /** Trains to the end of the text, or until the time is over. @returns what stopped it before, if anything did */
  async *#trainEpoch(
    shouldStop: () => StopRequest | null,
  ): AsyncGenerator<TrainingEvent, StopRequest | null> {
    const { training } = this.#options;
    for (;;) {
      const stop = shouldStop();
      if (stop) return stop;
      if (this.#isTimeOver()) return null;
      const time = training.variableBptt
        ? drawBpttLength(training.bpttLength, this.#lengths)
        : training.bpttLength;
      const batch = this.#text.next(time);
      if (!batch) return null;
      const event = this.#step(batch, time);
      if (event) yield event;
      const { checkpointEvery } = training;
      if (checkpointEvery !== null && this.#progress.step % checkpointEvery === 0)
        yield this.#saveSnapshot(false);
    }
  }

  /** One update. @param time the length that was drawn; the batch is shorter at the end of the text */
  #step(batch: TokenBatch, time: number): TrainingEvent | null {
    const { model, training } = this.#options;
    const start = performance.now();
    const loss = this.#accumulateGradients(batch);
    const norm = gradientNorm(model.parameters);
    const learningRate = this.learningRate() * (training.variableBptt ? time / training.bpttLength : 1);
    const tokens = batch.targets.length;
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      this.#rollBackOrThrow(loss / tokens, this.#progress.step + 1, learningRate);
      return null;
    }
    this.#optimizer.step(model.parameters, {
      learningRate,
      gradientScale: clippingScale(norm, training.maxGradNorm),
    });

    const progress = this.#progress;
    const seconds = (performance.now() - start) / 1000;
    progress.step += 1;
    progress.position = this.#text.cursor.position;
    progress.epochLoss += loss;
    progress.epochTokens += tokens;
    progress.epochGradNorm += norm;
    progress.epochSteps += 1;
    progress.epochSeconds += seconds;
    progress.totalSeconds += seconds;
    return this.#stepEvent(loss, tokens, seconds, learningRate, norm);
  }

  /** @returns the sum of the losses, nats */
  #accumulateGradients(batch: TokenBatch): number {
    const { model, training } = this.#options;
    const { activationRegularization, temporalActivationRegularization } = training;
    const tokens = batch.targets.length;
    const gradientScale = 1 / (training.lossReduction === 'mean' ? tokens : batch.batchSize);
    let loss = 0;
    splitBatch(batch, training.gradientAccumulation).forEach((part, index) => {
      const share = part.batchSize / batch.batchSize;
      model.putState(this.#states[index] ?? null);
      const losses = model.accumulateGradients(part, {
        gradientScale,
        activationRegularization: activationRegularization * share,
        temporalActivationRegularization: temporalActivationRegularization * share,
      });
      this.#states[index] = model.takeState();
      for (const value of losses) loss += value;
    });
    return loss;
  }

  /** The learning rate of the schedule at this point, before any scaling by the batch's length. */
  learningRate(): number {
    const { optimizer, schedule } = this.#options;
    const progress = { epoch: this.#progress.epoch + 1, fraction: this.#fraction() };
    const factor = learningRateFactor(schedule, progress, this.#progress.schedule);
    return (optimizer.learningRate * factor) / this.#progress.rollbackDivisor;
  }

  async *#endEpoch(): AsyncGenerator<TrainingEvent> {
    const { model, schedule, splits, training, sample } = this.#options;
    const start = performance.now();
    const learningRate = this.learningRate();
    const validLoss = withEvaluationValues(this.#optimizer, model.parameters, () =>
      this.#evaluate(splits.valid),
    );
    if (!Number.isFinite(validLoss)) {
      this.#rollBackOrThrow(validLoss, this.#progress.step, learningRate);
      return;
    }
    const progress = this.#progress;
    const isBest = progress.bestValidLoss === null || validLoss < progress.bestValidLoss;
    progress.epoch += 1;
    progress.position = 0;
    progress.lastValidLoss = validLoss;
    if (isBest) {
      progress.bestEpoch = progress.epoch;
      progress.bestValidLoss = validLoss;
    }
    progress.schedule = afterEvaluation(schedule, progress.schedule, validLoss);
    this.#optimizer.afterEvaluation(validLoss, model.parameters);
    this.#disposeStates();
    const evaluationSeconds = (performance.now() - start) / 1000;
    progress.totalSeconds += evaluationSeconds;

    const trainLoss = progress.epochLoss / progress.epochTokens;
    yield {
      type: 'epoch',
      data: {
        epoch: progress.epoch,
        step: progress.step,
        trainLoss: finite(trainLoss),
        trainPerplexity: finite(Math.exp(trainLoss)),
        validLoss: finite(validLoss),
        validPerplexity: finite(Math.exp(validLoss)),
        learningRate,
        tokensPerSecond: progress.epochTokens / Math.max(progress.epochSeconds, 1e-9),
        gradNorm: finite(progress.epochGradNorm / progress.epochSteps),
        seconds: progress.epochSeconds + evaluationSeconds,
        remainingSeconds: this.#remainingSeconds(),
        isBest,
      },
    };
    Object.assign(progress, {
      epochLoss: 0,
      epochTokens: 0,
      epochGradNorm: 0,
      epochSteps: 0,
      epochSeconds: 0,
    });
    if (sample && training.sampleLength > 0) {
      const text = withEvaluationValues(this.#optimizer, model.parameters, sample);
      yield { type: 'sample', data: { epoch: progress.epoch, text } };
    }
    if (isBest) this.#saveBestWeights();
    yield this.#saveSnapshot(isBest);
  }

  /** @returns nats per token, with the weights as they are */
  #evaluate(ids: Int32Array): number {
    const { evaluationBatchSize: batchSize, bpttLength } = this.#options.training;
    return evaluate(this.#options.model, ids, { batchSize, bpttLength, counting: 'exact' }).loss;
  }

  /** Why no further epoch begins; null = one does. Asked before each, so that what is resumed ends where it would have. */
  #endReason(): EndReason | null {
    const { earlyStopping, epochs } = this.#options.training;
    const { epoch, bestEpoch, epochSteps } = this.#progress;
    if (epochSteps > 0) return null;
    if (earlyStopping !== null && bestEpoch !== null && epoch - bestEpoch >= earlyStopping.patience)
      return 'early-stopping';
    if (epoch >= epochs) return 'epochs';
    return this.#isTimeOver() ? 'max-duration' : null;
  }

  #isTimeOver(): boolean {
    const { maxDuration } = this.#options.training;
    return maxDuration !== null && this.#progress.totalSeconds >= maxDuration;
  }

  #saveBestWeights(): void {
    const { model, sink } = this.#options;
    withEvaluationValues(this.#optimizer, model.parameters, () =>
      sink.saveBestWeights(new Map(model.parameters.map(({ name, value }) => [name, value]))),
    );
  }

  #saveSnapshot(isBest: boolean): TrainingEvent {
    const { epoch, step } = this.#progress;
    return {
      type: 'checkpoint',
      data: { epoch, step, ...this.#options.sink.saveSnapshot(this.snapshot()), isBest },
    };
  }

  /** @param step that the loss is of */
  #rollBackOrThrow(loss: number, step: number, learningRate: number): void {
    const { training, sink, model } = this.#options;
    for (const parameter of model.parameters) parameter.clearGradient();
    const canRollBack = training.onNonFiniteLoss === 'rollback' && this.#progress.rollbackDivisor === 1;
    const snapshot = canRollBack ? sink.loadSnapshot() : null;
    if (!snapshot) {
      const { maxGradNorm } = training;
      const epoch = this.#progress.epoch + 1;
      throw appError('loss-not-finite', { loss: String(loss), step, epoch, learningRate, maxGradNorm });
    }
    this.restore(snapshot);
    this.#progress.rollbackDivisor = 2;
  }

  #startedEvent(resumed: boolean): TrainingEvent {
    const { model, training, splits, environment } = this.#options;
    const { epoch, step } = this.#progress;
    return {
      type: 'started',
      data: {
        ...environment,
        parameterCount: parameterCount(model),
        vocabularySize: model.vocabularySize,
        trainTokens: splits.train.length,
        validTokens: splits.valid.length,
        stepsPerEpoch: this.#text.batchesPerEpoch(training.bpttLength),
        resumedFrom: resumed ? { epoch, step } : null,
      },
    };
  }

  #stepEvent(
    loss: number,
    tokens: number,
    seconds: number,
    learningRate: number,
    norm: number,
  ): TrainingEvent | null {
    const since = this.#sinceEvent;
    since.loss += loss;
    since.tokens += tokens;
    since.seconds += seconds;
    if (performance.now() - this.#lastEventTime < STEP_EVENT_INTERVAL_MS) return null;
    const mean = since.loss / since.tokens;
    const event: TrainingEvent = {
      type: 'step',
      data: {
        step: this.#progress.step,
        epoch: this.#fraction() * this.#options.training.epochs,
        loss: finite(mean),
        trainPerplexity: finite(Math.exp(mean)),
        learningRate,
        gradNorm: finite(norm),
        tokensPerSecond: since.tokens / Math.max(since.seconds, 1e-9),
        remainingSeconds: this.#remainingSeconds(),
      },
    };
    this.#sinceEvent = { loss: 0, tokens: 0, seconds: 0 };
    this.#lastEventTime = performance.now();
    return event;
  }

  #succeededEvent(reason: EndReason): TrainingEvent {
    const { model, splits, sink } = this.#options;
    const { bestValidLoss, totalSeconds, bestEpoch, epoch } = this.#progress;
    const digest = weightsDigest(new Map(model.parameters.map(({ name, value }) => [name, value])));
    if (bestEpoch !== epoch || this.#optimizer.slots().size > 0) this.#adoptWeights(sink.loadBestWeights());
    const testLoss = this.#evaluate(splits.test);
    return {
      type: 'succeeded',
      data: {
        testLoss: finite(testLoss),
        testPerplexity: finite(Math.exp(testLoss)),
        validPerplexity: bestValidLoss === null ? null : finite(Math.exp(bestValidLoss)),
        digest,
        seconds: totalSeconds,
        reason,
      },
    };
  }

  #adoptWeights(weights: ReadonlyMap<string, tf.Tensor>): void {
    for (const parameter of this.#options.model.parameters) {
      const value = weights.get(parameter.name);
      if (!value)
        throw appError('tensor-mismatch', { tensor: parameter.name, expected: 'a tensor', actual: 'none' });
      parameter.assign(value);
    }
  }

  /** Part of all text, over all epochs, that was read. */
  #fraction(): number {
    const { epoch, position } = this.#progress;
    return (epoch + position / this.#text.streamLength) / this.#options.training.epochs;
  }

  #remainingSeconds(): number | null {
    const fraction = this.#fraction();
    const { totalSeconds } = this.#progress;
    if (fraction <= 0) return null;
    const untilLimit = (this.#options.training.maxDuration ?? Number.POSITIVE_INFINITY) - totalSeconds;
    return Math.min((totalSeconds * (1 - fraction)) / fraction, Math.max(0, untilLimit));
  }

  #openText(position: number): BatchIterator {
    const { splits, training } = this.#options;
    return new BatchIterator(splits.train, { batchSize: training.batchSize, cursor: { position, epoch: 0 } });
  }

  #disposeStates(): void {
    for (const state of this.#states) {
      for (const { hidden, cell } of state ?? []) {
        hidden.dispose();
        cell.dispose();
      }
    }
    this.#states = [];
  }
}

/** JSON has no NaN and no Infinity. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
