import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BatchIterator } from '../../src/batches/batch-iterator.js';
import { TrainingEvent } from '../../src/contracts/events.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { createModel } from '../../src/models/create-model.js';
import * as tf from '../../src/tensor/tensorflow.js';
import type { TrainerSnapshot } from '../../src/training/trainer-snapshot.js';
import { weightsDigest } from '../../src/training/weights-digest.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { MemorySink } from '../support/memory-sink.js';
import { expectNoTensorLeakAsync } from '../support/tensor-leak.js';
import {
  eventsOf,
  runTrainer,
  tinyText,
  tinyTraining,
  trainTiny,
  VOCABULARY,
} from '../support/tiny-training.js';

/** Loss after a few epochs of few steps moves a lot; the two kinds of kernels differ by rounding. */
const OVERFIT_LOSS = 0.05;

describe('Trainer', () => {
  useBackend();
  for (const kernels of KERNELS) {
    it(`learns a text of 20 tokens by heart, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeakAsync(async () => {
          const text = tinyText(21);
          const { events } = await trainTiny({
            model: { embeddingSize: 10, hiddenSizes: [20] },
            optimizer: { type: 'adam', learningRate: 0.02 },
            training: { epochs: 100, batchSize: 1, evaluationBatchSize: 1, bpttLength: 20, maxGradNorm: 5 },
            splits: { train: text, valid: text, test: text },
          });
          const [done] = eventsOf(events, 'succeeded');
          assert.ok(done!.testLoss! < OVERFIT_LOSS, `loss ${done!.testLoss}`);
          const first = eventsOf(events, 'epoch')[0]!.trainLoss!;
          assert.ok(Math.abs(first - Math.log(VOCABULARY)) < 0.5, 'it began by guessing');
        }),
      ));
  }

  it('tells bits per byte of valid and test, with what <unk> hides', async () => {
    const textSizes = { valid: { bytes: 300, hiddenNats: 50 }, test: { bytes: 250, hiddenNats: 20 } };
    const { events } = await trainTiny({ textSizes });
    const bits = (loss: number, bytes: number, hidden: number) => (loss * 59 + hidden) / Math.LN2 / bytes;
    const epochs = eventsOf(events, 'epoch');
    for (const { validLoss, validBitsPerByte } of epochs)
      assert.ok(Math.abs(validBitsPerByte! - bits(validLoss!, 300, 50)) < 1e-12);
    const { testLoss, testBitsPerByte, validBitsPerByte } = eventsOf(events, 'succeeded')[0]!;
    assert.ok(Math.abs(testBitsPerByte! - bits(testLoss!, 250, 20)) < 1e-12);
    assert.equal(validBitsPerByte, Math.min(...epochs.map((epoch) => epoch.validBitsPerByte!)));
    const without = await trainTiny();
    assert.equal(eventsOf(without.events, 'epoch')[0]!.validBitsPerByte, null);
  });

  it('says what it does, in order, in events that follow their contract', () =>
    expectNoTensorLeakAsync(async () => {
      const { events, result } = await trainTiny({
        training: { sampleLength: 5 },
        sample: () => ({ text: 'a sample', quality: { distinctPairs: 1, repetition: 0, copiedShare: 0 } }),
      });
      const types = events.map(({ type }) => type).filter((type) => type !== 'step');
      const epoch = ['epoch', 'sample', 'checkpoint'];
      assert.deepEqual(types, ['started', ...epoch, ...epoch, ...epoch, 'succeeded']);
      assert.equal(events[1]!.type, 'step', 'the first step is told at once');
      assert.deepEqual(result, { type: 'succeeded' });
      for (const event of events) TrainingEvent.parse(event);
      const epochs = eventsOf(events, 'epoch');
      assert.deepEqual(
        epochs.map((one) => [one.epoch, one.step]),
        [
          [1, 8],
          [2, 16],
          [3, 24],
        ],
      );
      for (const one of epochs) assert.equal(one.validPerplexity, Math.exp(one.validLoss!));
      const [started] = eventsOf(events, 'started');
      assert.deepEqual(
        [started!.trainTokens, started!.validTokens, started!.stepsPerEpoch, started!.resumedFrom],
        [240, 60, 8, null],
      );
    }));

  it('reports the mean loss over all tokens that it trained on, and the loss of what it would serve', () =>
    expectNoTensorLeakAsync(async () => {
      // a learning rate next to zero leaves the weights as they are, so that a twin can say what must come
      const options = {
        optimizer: { type: 'sgd', learningRate: 1e-12 },
        training: { epochs: 1, batchSize: 7 },
      };
      const { events } = await trainTiny(options);
      const twin = tinyTraining(options);
      const text = new BatchIterator(tinyText(240), { batchSize: 7 });
      const losses: number[] = [];
      for (let batch = text.next(8); batch; batch = text.next(8)) losses.push(...twin.model.losses(batch));
      assert.equal(losses.length, 7 * 34);
      const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
      const [epoch] = eventsOf(events, 'epoch');
      assert.ok(Math.abs(epoch!.trainLoss! - mean) < 1e-6);
      twin.model.putState(null);
      const reading = { batchSize: 4, bpttLength: 8, counting: 'exact' } as const;
      const valid = evaluate(twin.model, tinyText(60), reading).loss;
      assert.ok(Math.abs(epoch!.validLoss! - valid) < 1e-6);
      twin.dispose();
    }));

  it('gives the same digest for the same seed, another for another, and that of the last checkpoint', () =>
    expectNoTensorLeakAsync(async () => {
      const digest = async (seed: number) => {
        const sink = new MemorySink();
        const { events } = await trainTiny({ sink, training: { seed } });
        const { digest } = eventsOf(events, 'succeeded')[0]!;
        const { tensors } = sink.loadSnapshot()!;
        assert.equal(weightsDigest(tensors), digest, 'no state and no slot is left at the end of an epoch');
        tf.dispose([...tensors.values()]);
        return digest;
      };
      assert.equal(await digest(1), await digest(1));
      assert.notEqual(await digest(2), await digest(1));
    }));

  it('stops between two steps when asked to: a pause keeps everything, a cancel keeps nothing', () =>
    expectNoTensorLeakAsync(async () => {
      for (const mode of ['pause', 'cancel'] as const) {
        const sink = new MemorySink();
        const { events, result, progress } = await trainTiny({ sink }, (step) => (step === 5 ? mode : null));
        assert.deepEqual(result, { type: 'stopped', mode });
        assert.equal(progress.step, 5);
        assert.deepEqual(sink.steps, mode === 'pause' ? [5] : []);
        assert.equal(events.at(-1)!.type, mode === 'pause' ? 'checkpoint' : 'step');
      }
    }));

  it('says where it goes on from, and goes on there', () =>
    expectNoTensorLeakAsync(async () => {
      const sink = new MemorySink();
      await trainTiny({ sink }, (step) => (step === 13 ? 'pause' : null));
      const { events } = await trainTiny({ sink });
      assert.deepEqual(eventsOf(events, 'started')[0]!.resumedFrom, { epoch: 1, step: 13 });
      assert.equal(eventsOf(events, 'step')[0]!.step, 14);
    }));

  it('keeps a checkpoint every so many steps, and at the end of each epoch', () =>
    expectNoTensorLeakAsync(async () => {
      const sink = new MemorySink();
      const { events } = await trainTiny({ sink, training: { epochs: 2, checkpointEvery: 3 } });
      assert.deepEqual(sink.steps, [3, 6, 8, 9, 12, 15, 16]);
      assert.deepEqual(
        eventsOf(events, 'checkpoint').map(({ step }) => step),
        sink.steps,
      );
    }));

  it('tests and serves the best weights, not the last', () =>
    expectNoTensorLeakAsync(async () => {
      // a valid split of another kind than the train split: learning the one spoils the other, sooner or later
      const strange = Int32Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 1 : 2 + ((i * 7) % 11)));
      const sink = new MemorySink();
      const run = tinyTraining({
        sink,
        optimizer: { type: 'sgd', learningRate: 20 },
        training: { epochs: 12 },
        splits: { valid: strange, test: strange },
      });
      const { events } = await runTrainer(run.trainer);
      const epochs = eventsOf(events, 'epoch');
      const best = Math.min(...epochs.map(({ validLoss }) => validLoss!));
      assert.notEqual(epochs.at(-1)!.validLoss, best, 'the last epoch is not the best');
      const [done] = eventsOf(events, 'succeeded');
      assert.equal(done!.validPerplexity, Math.exp(best));
      assert.ok(Math.abs(done!.testLoss! - best) < 1e-6, 'the test split is the valid split here');
      assert.equal(sink.bestSaves, epochs.filter(({ isBest }) => isBest).length);
      assert.deepEqual(
        epochs.map(({ isBest }) => isBest),
        epochs.map(({ validLoss }, i) =>
          epochs.slice(0, i).every((before) => validLoss! < before.validLoss!),
        ),
      );
      const { config } = run;
      const served = createModel(config, VOCABULARY, {
        kernels: testKernels(),
        seed: 0,
        precision: 'float32',
        weights: sink.loadBestWeights(),
      });
      const reading = { batchSize: 4, bpttLength: 8, counting: 'exact' } as const;
      assert.ok(Math.abs(evaluate(served, strange, reading).loss - best) < 1e-6);
      served.dispose();
      run.dispose();
    }));

  it('evaluates, keeps and serves the averaged weights once NT-ASGD has begun, and trains on from its own', () =>
    expectNoTensorLeakAsync(async () => {
      const sink = new AverageWatch();
      const run = tinyTraining({
        sink,
        optimizer: { type: 'nt-asgd', learningRate: 20, nonMonotoneInterval: 1 },
        training: { epochs: 15 },
      });
      const { events } = await runTrainer(run.trainer);
      const averaged = sink.epochs.filter(({ average }) => average !== null);
      const kept = averaged.filter(({ best }) => best !== null);
      assert.ok(averaged.length > 1 && kept.length > 0, 'it has begun, and an average was the best');
      for (const { best, average } of kept) assert.equal(best, average);
      for (const { average, own } of averaged) assert.notEqual(average, own);
      assert.equal(eventsOf(events, 'succeeded')[0]!.digest, sink.epochs.at(-1)!.own, 'of the last iterate');

      const { tensors } = sink.loadSnapshot()!;
      for (const parameter of run.model.parameters)
        parameter.assign(tensors.get(`optimizer.${parameter.name}.average`)!.clone());
      tf.dispose([...tensors.values()]);
      const reading = { batchSize: 4, bpttLength: 8, counting: 'exact' } as const;
      assert.equal(
        evaluate(run.model, tinyText(60), reading).loss,
        eventsOf(events, 'epoch').at(-1)!.validLoss,
        'the average was validated',
      );
      run.dispose();
    }));

  it('divides the learning rate on a plateau and scales it by the length of the batch', () =>
    expectNoTensorLeakAsync(async () => {
      const { events } = await trainTiny({
        optimizer: { type: 'sgd', learningRate: 40 },
        schedule: { type: 'divide-on-plateau', divisor: 4 },
        training: { epochs: 8 },
      });
      const epochs = eventsOf(events, 'epoch');
      let expected = 40;
      let best = Number.POSITIVE_INFINITY;
      for (const { learningRate, validLoss } of epochs) {
        assert.equal(learningRate, expected);
        if (validLoss! < best) best = validLoss!;
        else expected /= 4;
      }
      assert.ok(expected < 40, 'there was a plateau');

      const scaled = await trainTiny({ training: { epochs: 1, bpttLength: 20, variableBptt: true } });
      const [step] = eventsOf(scaled.events, 'step');
      const length = step!.learningRate * 20;
      assert.ok(Math.abs(length - Math.round(length)) < 1e-9 && length >= 5 && length !== 20, `${length}`);
    }));

  it('gives the same weights whether a batch is read at once or in parts', () =>
    expectNoTensorLeakAsync(async () => {
      const training = {
        epochs: 1,
        batchSize: 5,
        activationRegularization: 2,
        temporalActivationRegularization: 1,
      };
      const losses: [number, number][] = [];
      for (const gradientAccumulation of [1, 2, 5, 9]) {
        const { events } = await trainTiny({ training: { ...training, gradientAccumulation } });
        const [epoch] = eventsOf(events, 'epoch');
        losses.push([epoch!.trainLoss!, epoch!.validLoss!]);
      }
      for (const [train, valid] of losses) {
        assert.ok(Math.abs(train - losses[0]![0]) < 1e-5);
        assert.ok(Math.abs(valid - losses[0]![1]) < 1e-5);
      }
    }));
});

/** Digests of what was kept at each epoch: the best weights (null = not the best), the averages, and the weights. */
class AverageWatch extends MemorySink {
  readonly epochs: { best: string | null; average: string | null; own: string }[] = [];
  #best: string | null = null;

  override saveBestWeights(weights: ReadonlyMap<string, tf.Tensor>) {
    const saved = super.saveBestWeights(weights);
    this.#best = saved.digest;
    return saved;
  }

  override saveSnapshot(snapshot: TrainerSnapshot) {
    const { optimizer, tensors } = snapshot;
    const own = [...tensors].filter(([name]) => !name.startsWith('optimizer.'));
    const average = own.map(([name]) => [name, tensors.get(`optimizer.${name}.average`)!] as const);
    this.epochs.push({
      best: this.#best,
      average: Number(optimizer.averagedSteps) > 0 ? weightsDigest(new Map(average)) : null,
      own: weightsDigest(new Map(own)),
    });
    this.#best = null;
    return super.saveSnapshot(snapshot);
  }
}
