import { BatchIterator } from '../batches/batch-iterator.js';
import type { TrainingEvent } from '../contracts/events.js';
import type { TrainerProgress } from '../contracts/trainer-progress.js';
import { appError } from '../errors.js';
import { bitsPerByte, evaluate } from '../evaluation/evaluate.js';
import type { TokenBatch } from '../models/language-model.js';
import type { State } from '../models/state.js';
import { RANDOM_STREAMS, RandomSource } from '../tensor/random.js';
import type * as tf from '../tensor/tensorflow.js';
import { drawBpttLength } from './bptt-length.js';
import { createOptimizer } from './create-optimizer.js';
import { epochWarning } from './epoch-warning.js';
import { Horizon } from './horizon.js';
import { type Optimizer, withEvaluationValues } from './optimizer.js';
import { afterEvaluation, learningRateFactor } from './schedule.js';
import { resetsState } from './state-reset.js';
import { trainStep } from './train-step.js';
import {
  epochEvent,
  type NonFinite,
  rollbackEvent,
  StepClock,
  startedEvent,
  stepEvent,
  succeededEvent,
} from './trainer-events.js';
import type { EndReason, StopRequest, TrainerOptions, TrainerResult } from './trainer-options.js';
import {
  clearEpochSums,
  clearWindowSums,
  countEpoch,
  countStep,
  INITIAL_PROGRESS,
  keepEpoch,
} from './trainer-progress.js';
import { nameTensors, sortTensors, type TrainerSnapshot } from './trainer-snapshot.js';
import { weightsDigest } from './weights-digest.js';

/**
 * Trains a language model and says what happens: an async generator of events. Knows no cell, no file, no HTTP.
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
  #states: (State | null)[] = [];
  readonly #stepClock: StepClock;
  readonly #stepsPerEpoch: number;
  readonly #horizon: Horizon;

  constructor(options: TrainerOptions) {
    this.#options = options;
    this.#optimizer = createOptimizer(options.optimizer, options.model.kernels);
    this.#lengths = new RandomSource(options.training.seed, RANDOM_STREAMS.batchLength);
    this.#stepClock = new StepClock(options.training.metricsEvery);
    this.#text = this.#openText(0);
    this.#stepsPerEpoch = this.#text.batchesPerEpoch(options.training.bpttLength);
    this.#horizon = new Horizon(options.training, {
      streamLength: this.#text.streamLength,
      stepsPerEpoch: this.#stepsPerEpoch,
      validTokens: options.splits.valid.length,
    });
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
    yield startedEvent(this.#options, this.#stepsPerEpoch, snapshot && this.#progress);
    yield* this.#repeatUnstored();

    for (
      let reason = this.#horizon.endReason(this.#progress);
      ;
      reason = this.#horizon.endReason(this.#progress)
    ) {
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

  /** The epochs of the checkpoint whose events were lost with the server, and the checkpoint itself. */
  *#repeatUnstored(): Generator<TrainingEvent> {
    const { storedEpoch = Number.POSITIVE_INFINITY } = this.#options;
    const { recentEpochs, epoch, epochSteps, bestEpoch } = this.#progress;
    const lost = recentEpochs.filter((data) => data.epoch > storedEpoch);
    for (const data of lost) yield { type: 'epoch', data };
    if (lost.length > 0) yield this.#saveSnapshot(bestEpoch === epoch && epochSteps === 0);
  }

  /** Everything that resume needs; the tensors are borrowed. */
  snapshot(): TrainerSnapshot {
    const { model } = this.#options;
    const tensors = nameTensors({
      weights: this.#weights(),
      slots: this.#optimizer.slots(),
      states: this.#states,
    });
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
    const { weights, slots, states } = sortTensors(tensors);
    this.#adoptWeights(weights);
    this.#optimizer.restore(optimizer, slots);
    this.#disposeStates();
    this.#states = [...states];
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
      if (this.#horizon.limitReached(this.#progress)) return null;
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
    const learningRate = this.learningRate() * (training.variableBptt ? time / training.bpttLength : 1);
    if (resetsState(training, this.#progress.step)) this.#disposeStates();
    const step = { model, training, optimizer: this.#optimizer, states: this.#states };
    const { loss, gradNorm, isUpdated } = trainStep(step, batch, learningRate);
    const tokens = batch.targets.length;
    if (!isUpdated) {
      const what = Number.isFinite(loss) ? 'gradient' : 'loss';
      return this.#rollBackOrThrow(what, loss / tokens, this.#progress.step + 1, learningRate);
    }
    const seconds = (performance.now() - start) / 1000;
    const figures = { loss, tokens, gradNorm, learningRate, seconds };
    countStep(this.#progress, figures, this.#text.cursor.position);
    this.#horizon.plan(this.#progress, figures);
    if (!this.#stepClock.isDue(this.#progress.step)) return null;
    const event = stepEvent(this.#progress, figures, this.#horizon.completion(this.#progress));
    clearWindowSums(this.#progress);
    return event;
  }

  /** The learning rate of the schedule at this point, before any scaling by the batch's length. */
  learningRate(): number {
    const { optimizer, schedule } = this.#options;
    const progress = { epoch: this.#progress.epoch + 1, fraction: this.#horizon.fraction(this.#progress) };
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
      yield this.#rollBackOrThrow('validation loss', validLoss, this.#progress.step, learningRate);
      return;
    }
    const progress = this.#progress;
    progress.schedule = afterEvaluation(schedule, progress.schedule, validLoss);
    this.#optimizer.afterEvaluation(validLoss, model.parameters);
    this.#disposeStates();
    const evaluationSeconds = (performance.now() - start) / 1000;
    const previousLoss = progress.lastValidLoss;
    const isBest = countEpoch(progress, validLoss, evaluationSeconds);
    const { remainingSeconds } = this.#horizon.completion(this.#progress);
    const validBitsPerByte = this.#bitsPerByte('valid', validLoss);
    const event = epochEvent(progress, {
      validLoss,
      validBitsPerByte,
      learningRate,
      evaluationSeconds,
      remainingSeconds,
      isBest,
    });
    keepEpoch(progress, event.data);
    yield event;
    clearEpochSums(progress);
    const warning = epochWarning(progress, previousLoss, model.vocabularySize);
    if (warning) yield warning;
    if (sample && training.sampleLength > 0) {
      const written = withEvaluationValues(this.#optimizer, model.parameters, sample);
      yield { type: 'sample', data: { epoch: progress.epoch, ...written } };
    }
    if (isBest) this.#saveBestWeights();
    yield this.#saveSnapshot(isBest);
  }

  /** @returns nats per token, with the weights as they are */
  #evaluate(ids: Int32Array): number {
    const { evaluationBatchSize: batchSize, bpttLength } = this.#options.training;
    return evaluate(this.#options.model, ids, { batchSize, bpttLength, counting: 'exact' }).loss;
  }

  /** @param loss nats per token of that split */
  #bitsPerByte(split: 'valid' | 'test', loss: number): number | null {
    const { splits, textSizes } = this.#options;
    if (!textSizes) return null;
    const { bytes, hiddenNats } = textSizes[split];
    const bits = bitsPerByte(loss, splits[split].length - 1, bytes, hiddenNats);
    return Number.isFinite(bits) ? bits : null;
  }

  #saveBestWeights(): void {
    const { model, sink } = this.#options;
    withEvaluationValues(this.#optimizer, model.parameters, () => sink.saveBestWeights(this.#weights()));
  }

  #saveSnapshot(isBest: boolean): TrainingEvent {
    const { epoch, step } = this.#progress;
    return {
      type: 'checkpoint',
      data: { epoch, step, ...this.#options.sink.saveSnapshot(this.snapshot()), isBest },
    };
  }

  /**
   * @param what was not finite
   * @param step that it is of
   */
  #rollBackOrThrow(what: NonFinite, loss: number, step: number, learningRate: number): TrainingEvent {
    const { training, sink, model } = this.#options;
    const epoch = this.#progress.epoch + 1;
    for (const parameter of model.parameters) parameter.clearGradient();
    const canRollBack = training.onNonFiniteLoss === 'rollback' && this.#progress.rollbackDivisor === 1;
    const snapshot = canRollBack ? sink.loadSnapshot() : null;
    if (!snapshot) {
      const { maxGradNorm } = training;
      throw appError('loss-not-finite', { loss: String(loss), step, epoch, learningRate, maxGradNorm });
    }
    this.restore(snapshot);
    this.#progress.rollbackDivisor = 2;
    return rollbackEvent({ what, step, epoch, learningRate: this.learningRate() }, this.#progress);
  }

  /** Tests the best weights, and leaves them in the model. */
  #succeededEvent(reason: EndReason): TrainingEvent {
    const { splits, sink } = this.#options;
    const { bestEpoch, epoch } = this.#progress;
    const digest = weightsDigest(this.#weights());
    if (bestEpoch !== epoch || this.#optimizer.slots().size > 0) this.#adoptWeights(sink.loadBestWeights());
    const testLoss = this.#evaluate(splits.test);
    const { bestValidLoss } = this.#progress;
    const figures = {
      testLoss,
      testBitsPerByte: this.#bitsPerByte('test', testLoss),
      validBitsPerByte: bestValidLoss === null ? null : this.#bitsPerByte('valid', bestValidLoss),
    };
    return succeededEvent(this.#progress, figures, digest, reason);
  }

  /** Borrowed. */
  #weights(): Map<string, tf.Tensor> {
    return new Map(this.#options.model.parameters.map(({ name, value }) => [name, value]));
  }

  #adoptWeights(weights: ReadonlyMap<string, tf.Tensor>): void {
    for (const parameter of this.#options.model.parameters) {
      const value = weights.get(parameter.name);
      if (!value)
        throw appError('tensor-mismatch', { tensor: parameter.name, expected: 'a tensor', actual: 'none' });
      parameter.assign(value);
    }
  }

  #openText(position: number): BatchIterator {
    const { splits, training } = this.#options;
    return new BatchIterator(splits.train, { batchSize: training.batchSize, cursor: { position, epoch: 0 } });
  }

  #disposeStates(): void {
    for (const state of this.#states) state?.dispose();
    this.#states = [];
  }
}
