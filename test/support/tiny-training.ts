import type { TrainingEvent } from '../../src/contracts/events.js';
import { ModelConfig } from '../../src/contracts/model.js';
import { OptimizerConfig, ScheduleConfig, TrainingConfig } from '../../src/contracts/training.js';
import { createModel } from '../../src/models/create-model.js';
import { randomBits } from '../../src/tensor/random.js';
import type { Tensor } from '../../src/tensor/tensorflow.js';
import type { CheckpointSink } from '../../src/training/checkpoint-sink.js';
import { Trainer } from '../../src/training/trainer.js';
import type { StopRequest, TrainerOptions, TrainerResult } from '../../src/training/trainer-options.js';
import { testKernels } from './backend.js';
import { MemorySink } from './memory-sink.js';

export const VOCABULARY = 13;

/** A text in which some words follow others more often than not. */
export function tinyText(length: number, vocabularySize = VOCABULARY): Int32Array {
  const bits = randomBits(length, { seed: 3, stream: 50, counterLow: 0, counterHigh: 0 });
  return Int32Array.from(bits, (value, i) => (value % 3 === 0 ? value : i * 5) % vocabularySize);
}

export interface TinyTraining {
  readonly model?: object;
  readonly optimizer?: object;
  readonly schedule?: object;
  readonly training?: object;
  readonly splits?: Partial<Record<'train' | 'valid' | 'test', Int32Array>>;
  readonly textSizes?: TrainerOptions['textSizes'];
  readonly sink?: CheckpointSink;
  readonly storedEpoch?: number;
  readonly sample?: TrainerOptions['sample'];
  readonly vocabularySize?: number;
  /** To begin with, by parameter name. */
  readonly weights?: ReadonlyMap<string, Tensor>;
}

/** A model of a few hundred weights and what trains it; the caller's. */
export function tinyTraining(options: TinyTraining = {}) {
  const { vocabularySize = VOCABULARY, weights, sample = null, sink = new MemorySink() } = options;
  const config = ModelConfig.parse({ embeddingSize: 6, hiddenSizes: [7], ...options.model });
  const training = TrainingConfig.parse({
    epochs: 3,
    batchSize: 4,
    evaluationBatchSize: 4,
    bpttLength: 8,
    seed: 5,
    ...options.training,
  });
  const { seed } = training;
  const model = createModel(config, vocabularySize, {
    kernels: testKernels(),
    seed,
    precision: 'float32',
    ...(weights && { weights }),
  });
  const trainer = new Trainer({
    model,
    optimizer: OptimizerConfig.parse({ type: 'sgd', learningRate: 1, ...options.optimizer }),
    schedule: ScheduleConfig.parse({ type: 'constant', ...options.schedule }),
    training,
    splits: { train: tinyText(240), valid: tinyText(60), test: tinyText(60), ...options.splits },
    textSizes: options.textSizes ?? null,
    sink,
    storedEpoch: options.storedEpoch,
    sample,
    environment: { attempt: 1, backend: 'test', kernels: 'test', threads: 1 },
  });
  const dispose = () => {
    trainer.dispose();
    model.dispose();
  };
  return { trainer, model, config, sink, dispose };
}

/** What to do after so many steps. */
export type StopAt = (step: number) => StopRequest | null;

/** Runs a trainer to its end. @param stopAt asked before each step */
export async function runTrainer(trainer: Trainer, stopAt: StopAt = () => null) {
  const events: TrainingEvent[] = [];
  const run = trainer.run(() => stopAt(trainer.progress.step));
  for (;;) {
    const next = await run.next();
    if (next.done) return { events, result: next.value satisfies TrainerResult };
    events.push(next.value);
  }
}

/** Trains from the sink's snapshot, if it has one, to the end, and frees everything. */
export async function trainTiny(options: TinyTraining = {}, stopAt?: StopAt) {
  const { trainer, dispose } = tinyTraining(options);
  try {
    const { events, result } = await runTrainer(trainer, stopAt);
    return { events, result, progress: structuredClone(trainer.progress) };
  } finally {
    dispose();
  }
}

/** The events of one type. */
export function eventsOf<Type extends TrainingEvent['type']>(events: readonly TrainingEvent[], type: Type) {
  return events.flatMap((event) =>
    event.type === type ? [event.data as Extract<TrainingEvent, { type: Type }>['data']] : [],
  );
}
