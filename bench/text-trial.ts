import { z } from 'zod';
import { BatchIterator } from '../src/batches/batch-iterator.js';
import { TokenizerConfig } from '../src/contracts/corpus.js';
import { ModelConfig } from '../src/contracts/model.js';
import { OptimizerConfig, TrainingConfig } from '../src/contracts/training.js';
import { bitsPerByte, evaluate } from '../src/evaluation/evaluate.js';
import type { Kernels } from '../src/kernels/kernels.js';
import { createModel } from '../src/models/create-model.js';
import { RandomSource, uniform } from '../src/tensor/random.js';
import { createTokenizer } from '../src/tokenizers/create-tokenizer.js';
import { createOptimizer } from '../src/training/create-optimizer.js';
import { learningRateFactor } from '../src/training/schedule.js';
import { type TrainStep, trainStep } from '../src/training/train-step.js';
import { WeightAverage } from './weight-average.js';

/** One way to learn a text. */
export const Trial = z.strictObject({
  tokenizer: TokenizerConfig,
  embeddingSize: z.int(),
  hiddenSizes: z.array(z.int()),
  learningRate: z.number(),
  dropout: z.number(),
  batchSize: z.int(),
  bpttLength: z.int(),
  /** Of the processor, on one core: a busy machine changes nothing but the wait. */
  seconds: z.number(),
  /** A number of steps instead, so that two trials are compared exactly. */
  steps: z.int().optional(),
  /** Probability, at each step, that the states are reset to zero. */
  stateReset: z.number().default(0),
  /** What is evaluated: a moving average of the weights with this decay, or the weights themselves. */
  averageDecay: z.number().optional(),
});
export type Trial = z.infer<typeof Trial>;

export interface TrialResult {
  readonly vocabularySize: number;
  readonly steps: number;
  readonly epochs: number;
  /** Best of some evaluations on valid, and test at that point. */
  readonly bitsPerByte: { readonly valid: number; readonly test: number };
  readonly curve: readonly number[];
}

const BLOCKS = 60;
/** Block 7 of 20 is for valid, block 15 for test. */
const [PERIOD, VALID, TEST] = [20, 7, 15];
const EVALUATIONS = 6;
/** Apart from the streams of src/tensor/random.ts. */
const RESET_STREAM = 300;
const MAX_STEPS = 1 << 20;
const [FIRST_MEASURED, LAST_MEASURED] = [5, 25];

/** Trains as a trial says, and evaluates on blocks of the text that were held out. */
export function runTrial(trial: Trial, whole: string, kernels: Kernels): TrialResult {
  const text = cutIntoBlocks(whole);
  const tokenizer = createTokenizer(trial.tokenizer, text.train, 'prose');
  const ids = {
    train: tokenizer.encode(text.train),
    valid: tokenizer.encode(text.valid),
    test: tokenizer.encode(text.test),
  };
  const { batchSize, bpttLength, dropout, learningRate } = trial;
  const config = ModelConfig.parse({
    embeddingSize: trial.embeddingSize,
    hiddenSizes: trial.hiddenSizes,
    initialization: 'uniform',
    initializationRange: 0.08,
    forgetBias: 1,
    dropout: { kind: 'variational', input: dropout / 2, hidden: dropout, output: dropout },
  });
  const model = createModel(config, tokenizer.vocabulary.size, { kernels, seed: 1, precision: 'bfloat16' });
  const optimizer = createOptimizer(OptimizerConfig.parse({ type: 'adamw', learningRate }), kernels);
  const training = TrainingConfig.parse({ batchSize, bpttLength, maxGradNorm: 1 });
  const average = trial.averageDecay === undefined ? null : new WeightAverage(model, trial.averageDecay);
  const measure = (split: 'valid' | 'test') => {
    const reading = { batchSize: 10, bpttLength, counting: 'exact' } as const;
    const measured = () => evaluate(model, ids[split], reading).loss;
    const loss = average ? average.use(measured) : measured();
    return bitsPerByte(loss, ids[split].length - 1, Buffer.byteLength(text[split]));
  };
  let batches = new BatchIterator(ids.train, { batchSize });
  const stepsPerEpoch = batches.batchesPerEpoch(bpttLength);
  const step: TrainStep = { model, optimizer, training, states: [] };
  const resetStates = () => {
    for (const state of step.states.splice(0)) state?.dispose();
  };
  const resets = uniform(MAX_STEPS, new RandomSource(1, RESET_STREAM).next(), 0, 1);
  let [steps, begin] = [trial.steps ?? Number.POSITIVE_INFINITY, 0];
  const curve: number[] = [];
  let best = { valid: Number.POSITIVE_INFINITY, test: Number.POSITIVE_INFINITY };
  for (let done = 0; done < steps; done++) {
    if (done === FIRST_MEASURED) begin = processorSeconds();
    if (done === LAST_MEASURED && trial.steps === undefined)
      steps = Math.floor((trial.seconds * (LAST_MEASURED - FIRST_MEASURED)) / (processorSeconds() - begin));
    let batch = batches.next(bpttLength);
    if (!batch) {
      batches = new BatchIterator(ids.train, { batchSize });
      batch = batches.next(bpttLength)!;
      resetStates();
    }
    if (resets[done % MAX_STEPS]! < trial.stateReset) resetStates();
    const fraction = done < LAST_MEASURED ? 0 : done / steps;
    const schedule = { type: 'one-cycle', warmupFraction: 0.1, minimumFraction: 0 } as const;
    const factor = learningRateFactor(schedule, { epoch: 1, fraction }, { divisor: 1, bestValidLoss: null });
    trainStep(step, batch, learningRate * factor);
    average?.add();
    if (done > LAST_MEASURED && (done + 1) % Math.max(1, Math.floor(steps / EVALUATIONS)) === 0) {
      const valid = measure('valid');
      curve.push(Number(valid.toFixed(3)));
      if (valid < best.valid) best = { valid, test: measure('test') };
    }
  }
  resetStates();
  average?.dispose();
  optimizer.dispose();
  model.dispose();
  return {
    vocabularySize: tokenizer.vocabulary.size,
    steps,
    epochs: steps / stepsPerEpoch,
    bitsPerByte: best,
    curve,
  };
}

/** Blocks of lines, spread over the three splits, so that each sees all parts of the text. */
function cutIntoBlocks(text: string): { train: string; valid: string; test: string } {
  const splits = { train: '', valid: '', test: '' };
  let start = 0;
  for (let block = 0; block < BLOCKS; block++) {
    const target = Math.floor((text.length * (block + 1)) / BLOCKS);
    const line = text.indexOf('\n', target);
    const end =
      block === BLOCKS - 1
        ? text.length
        : Math.max(start, line >= 0 && line - target < 2000 ? line + 1 : target);
    const place = block % PERIOD;
    splits[place === VALID ? 'valid' : place === TEST ? 'test' : 'train'] += text.slice(start, end);
    start = end;
  }
  return splits;
}

/** What this process has used of the processor. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
