import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CheckpointFolder } from '../../src/checkpoints/checkpoint-folder.js';
import type { TrainingEvent } from '../../src/contracts/events.js';
import { ModelConfig } from '../../src/contracts/model.js';
import { OptimizerConfig, ScheduleConfig, TrainingConfig } from '../../src/contracts/training.js';
import { createModel } from '../../src/models/create-model.js';
import { randomBits } from '../../src/tensor/random.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { Trainer } from '../../src/training/trainer.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { MemorySink } from '../support/memory-sink.js';
import { eventsOf, trainTiny } from '../support/tiny-training.js';

const VOCABULARY = 13;
const EPOCHS = 4;
/** Interruptions of each optimizer; the steps are drawn, always the same ones. Composed ops are slow: fewer there. */
const INTERRUPTIONS = { composed: 4, fused: 20 };

const OPTIMIZERS = {
  sgd: { type: 'sgd', learningRate: 1 },
  'nt-asgd': { type: 'nt-asgd', learningRate: 2, weightDecay: 1e-4, nonMonotoneInterval: 1 },
  adamw: { type: 'adamw', learningRate: 0.01 },
};

/** A text in which some words follow others more often than not. */
function text(length: number): Int32Array {
  const bits = randomBits(length, { seed: 3, stream: 50, counterLow: 0, counterHigh: 0 });
  return Int32Array.from(bits, (value, i) => (value % 3 === 0 ? value % VOCABULARY : (i * 5) % VOCABULARY));
}

/** All that makes a state: every kind of dropout, variable length, states that are reset, parts of a batch, a schedule with a memory. */
function createTrainer(folder: string, optimizer: unknown): { trainer: Trainer; dispose: () => void } {
  const config = ModelConfig.parse({
    embeddingSize: 6,
    hiddenSizes: [7, 6],
    tieWeights: true,
    initialization: 'awd-lstm',
    dropout: {
      kind: 'variational',
      embedding: 0.1,
      input: 0.2,
      hidden: 0.2,
      output: 0.2,
      recurrentWeights: 0.3,
    },
  });
  const model = createModel(config, VOCABULARY, { kernels: testKernels(), seed: 5, precision: 'float32' });
  const trainer = new Trainer({
    model,
    optimizer: OptimizerConfig.parse(optimizer),
    schedule: ScheduleConfig.parse({ type: 'divide-on-plateau' }),
    training: TrainingConfig.parse({
      epochs: EPOCHS,
      batchSize: 4,
      bpttLength: 8,
      variableBptt: true,
      stateResetProbability: 0.3,
      activationRegularization: 2,
      temporalActivationRegularization: 1,
      checkpointEvery: 4,
      seed: 5,
    }),
    // another language is validated: that loss goes up, so that averaging begins and the learning rate is divided
    splits: { train: text(200), valid: text(40).map((id) => VOCABULARY - 1 - id), test: text(40) },
    sink: new CheckpointFolder(folder),
    sample: null,
    environment: { attempt: 1, backend: 'test', kernels: 'test', threads: 1 },
  });
  const dispose = () => {
    trainer.dispose();
    model.dispose();
  };
  return { trainer, dispose };
}

/** Trains until the end, or for so many steps; gives the events. @param mode cancel: nothing is kept, as at a kill */
async function train(
  folder: string,
  optimizer: unknown,
  steps = Number.POSITIVE_INFINITY,
  mode: 'pause' | 'cancel' = 'pause',
) {
  const { trainer, dispose } = createTrainer(folder, optimizer);
  const events: TrainingEvent[] = [];
  for await (const event of trainer.run(() => (trainer.progress.step >= steps ? mode : null)))
    events.push(event);
  const { step } = trainer.progress;
  dispose();
  return { events, step };
}

function digestOf(events: readonly TrainingEvent[]): string {
  const last = events.at(-1);
  assert.equal(last?.type, 'succeeded');
  return last.data.digest;
}

function withFolder<Result>(body: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'gatelm-resume-'));
  return body(folder).finally(() => rmSync(folder, { recursive: true }));
}

describe('a training that is interrupted', () => {
  useBackend();
  for (const kernels of KERNELS) {
    for (const [name, optimizer] of Object.entries(OPTIMIZERS)) {
      it(`ends with the same bytes as one that is not: ${name}, ${kernels} kernels`, (context) =>
        onKernels(kernels, context, async () => {
          const before = tf.memory().numTensors;
          const whole = await withFolder(async (folder) => {
            const run = await train(folder, optimizer);
            if (name === 'nt-asgd') assertAveraging(folder);
            return run;
          });
          const draws = randomBits(INTERRUPTIONS[kernels], {
            seed: 9,
            stream: 51,
            counterLow: 0,
            counterHigh: 0,
          });
          for (const [index, draw] of draws.entries()) {
            const step = 1 + (draw % (whole.step - 1));
            await withFolder(async (folder) => {
              await train(folder, optimizer, step, index % 2 === 0 ? 'pause' : 'cancel');
              const rest = await train(folder, optimizer);
              assert.equal(digestOf(rest.events), digestOf(whole.events), `interrupted after step ${step}`);
              assert.deepEqual(
                perplexities(rest.events),
                perplexities(whole.events).slice(-perplexities(rest.events).length),
              );
            });
          }
          assert.equal(tf.memory().numTensors, before, 'tensors left alive');
        }));
    }
  }
});

function perplexities(events: readonly TrainingEvent[]) {
  return events.flatMap((event) =>
    event.type === 'epoch'
      ? [[event.data.epoch, event.data.trainPerplexity, event.data.validPerplexity]]
      : [],
  );
}

/** What is resumed must not be resumed before there is an average to lose. */
function assertAveraging(folder: string): void {
  const { optimizer, tensors } = new CheckpointFolder(folder).loadSnapshot()!;
  tf.dispose([...tensors.values()]);
  assert.ok(Number(optimizer.averagedSteps) > 0, 'averaging has begun');
}

describe('a training whose server was killed before it stored the last events', () => {
  useBackend();

  const pausedAfterTwoEpochs = async () => {
    const sink = new MemorySink();
    const { events } = await trainTiny({ sink }, (step) => (step === 20 ? 'pause' : null));
    return { sink, told: eventsOf(events, 'epoch') };
  };

  it('tells again the epochs that are not stored, and the checkpoint, before it goes on', async () => {
    const { sink, told } = await pausedAfterTwoEpochs();
    assert.equal(told.length, 2);
    const { events } = await trainTiny({ sink, storedEpoch: 1 });
    const types = events.map(({ type }) => type).filter((type) => type !== 'step');
    assert.deepEqual(types, ['started', 'epoch', 'checkpoint', 'epoch', 'checkpoint', 'succeeded']);
    assert.deepEqual(eventsOf(events, 'epoch')[0], told[1]);
    const [whole, again] = [(await trainTiny()).events, events].map((all) => eventsOf(all, 'succeeded')[0]!);
    assert.equal(again!.digest, whole!.digest);
  });

  it('tells nothing again that is stored', async () => {
    for (const storedEpoch of [2, undefined]) {
      const { sink } = await pausedAfterTwoEpochs();
      const { events } = await trainTiny({ sink, ...(storedEpoch !== undefined && { storedEpoch }) });
      assert.deepEqual(
        eventsOf(events, 'epoch').map(({ epoch }) => epoch),
        [3],
      );
    }
  });
});
