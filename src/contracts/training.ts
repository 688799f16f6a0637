import { z } from 'zod';

const learningRate = (value: number) =>
  z.number().gt(0).max(1000).default(value).describe('Learning rate before any schedule');
const weightDecay = z
  .number()
  .min(0)
  .max(1)
  .default(0)
  .describe('L2 penalty added to the gradient after clipping (adamw: decoupled from the gradient)');
const adamFields = {
  learningRate: learningRate(0.001),
  beta1: z.number().min(0).lt(1).default(0.9).describe('Decay of the first moment'),
  beta2: z.number().min(0).lt(1).default(0.999).describe('Decay of the second moment'),
  epsilon: z.number().gt(0).max(1).default(1e-8).describe('Added to the root of the second moment'),
};

export const OptimizerConfig = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('sgd'), learningRate: learningRate(20), weightDecay }),
    z.strictObject({
      type: z.literal('nt-asgd'),
      learningRate: learningRate(30),
      weightDecay,
      nonMonotoneInterval: z
        .int()
        .min(1)
        .max(1000)
        .default(5)
        .describe(
          'Averaging starts when a validation loss is worse than the best of all but the last n (Merity et al. 2017, algorithm 1)',
        ),
    }),
    z.strictObject({ type: z.literal('adam'), ...adamFields, weightDecay }),
    z.strictObject({ type: z.literal('adamw'), ...adamFields, weightDecay: weightDecay.default(0.01) }),
  ])
  .describe('Optimizer');
export type OptimizerConfig = z.infer<typeof OptimizerConfig>;

const minimumFraction = z
  .number()
  .min(0)
  .max(1)
  .default(0)
  .describe('Lowest learning rate, as a fraction of the highest');
const warmupFraction = (value: number) =>
  z
    .number()
    .min(0)
    .max(1)
    .default(value)
    .describe('Part of all steps in which the learning rate rises linearly');

export const ScheduleConfig = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('constant') }),
    z.strictObject({
      type: z.literal('divide-on-plateau'),
      divisor: z
        .number()
        .gt(1)
        .max(1000)
        .default(4)
        .describe('Divides the learning rate when valid does not beat the best'),
    }),
    z.strictObject({
      type: z.literal('exponential'),
      factor: z
        .number()
        .gt(0)
        .max(1)
        .default(0.8)
        .describe('Multiplies the learning rate at the start of each epoch'),
      fromEpoch: z
        .int()
        .min(2)
        .max(100_000)
        .default(6)
        .describe('First epoch (counted from 1) that is multiplied'),
    }),
    z.strictObject({ type: z.literal('cosine'), warmupFraction: warmupFraction(0), minimumFraction }),
    z.strictObject({ type: z.literal('one-cycle'), warmupFraction: warmupFraction(0.3), minimumFraction }),
  ])
  .describe('Learning-rate schedule');
export type ScheduleConfig = z.infer<typeof ScheduleConfig>;

export const TrainingConfig = z
  .strictObject({
    epochs: z.int().min(1).max(100_000).default(4).describe('Passes over the train split'),
    batchSize: z
      .int()
      .min(1)
      .max(4096)
      .default(20)
      .describe('Number N of text streams that are read side by side'),
    bpttLength: z
      .int()
      .min(1)
      .max(4096)
      .default(35)
      .describe('Number T of time steps that gradients flow back through'),
    variableBptt: z
      .boolean()
      .default(false)
      .describe(
        'Draw the length of each batch anew: T with probability 0.95, else T/2, then N(that, 5), at least 5; the learning rate is scaled by length / T (Merity et al. 2017, section 5)',
      ),
    maxGradNorm: z
      .number()
      .gt(0)
      .max(1e6)
      .nullable()
      .default(0.25)
      .describe('Gradients whose joint L2 norm is larger are scaled down to it; null = never'),
    lossReduction: z
      .enum(['mean', 'sum-over-time'])
      .default('mean')
      .describe(
        'What is differentiated: the mean over tokens, or the sum over time of the mean over streams (Zaremba et al. 2014)',
      ),
    gradientAccumulation: z
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe(
        'Parts that a batch is cut into along its streams, one after another, when it does not fit in memory',
      ),
    seed: z.int().min(0).max(0xffff_ffff).default(1).describe('Seed of weights, masks and variable lengths'),
    activationRegularization: z
      .number()
      .min(0)
      .max(1000)
      .default(0)
      .describe(
        'α of α·mean(m ⊙ h)²: activation regularization of the dropped output of the last LSTM layer',
      ),
    temporalActivationRegularization: z
      .number()
      .min(0)
      .max(1000)
      .default(0)
      .describe('β of β·mean(h_t+1 − h_t)²: temporal activation regularization of the last LSTM layer'),
    earlyStopping: z
      .strictObject({
        patience: z
          .int()
          .min(1)
          .max(100_000)
          .default(5)
          .describe('Epochs without a better validation perplexity'),
      })
      .nullable()
      .default(null)
      .describe('Stop when the validation perplexity stays; null = never'),
    maxDuration: z
      .number()
      .gt(0)
      .max(31_536_000)
      .nullable()
      .default(null)
      .describe('Longest time to train, in seconds; null = no limit'),
    timeBudget: z
      .number()
      .gt(0)
      .max(31_536_000)
      .nullable()
      .default(null)
      .describe(
        'Time to plan the training for, in seconds: its speed is measured over the first steps, which fixes the number of all steps once and for all; cosine and one-cycle schedules end with them. Unlike maxDuration it cuts nothing short when the machine is busier later; null = epochs alone decide',
      ),
    maxSteps: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .nullable()
      .default(null)
      .describe(
        'Updates at most; cosine and one-cycle schedules end with them. What a time budget came to is in the event `succeeded`: given here, it trains the same again; null = no limit',
      ),
    onNonFiniteLoss: z
      .enum(['fail', 'rollback'])
      .default('fail')
      .describe(
        'fail: the experiment fails; rollback: once, go back to the last checkpoint with half the learning rate',
      ),
    evaluationBatchSize: z
      .int()
      .min(1)
      .max(1024)
      .default(10)
      .describe('Streams read side by side when evaluating'),
    checkpointEvery: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .nullable()
      .default(null)
      .describe('Steps between checkpoints within an epoch; null = at the end of each epoch only'),
    keepEvery: z
      .int()
      .min(1)
      .max(1_000_000)
      .nullable()
      .default(null)
      .describe(
        'Epochs between checkpoints that are kept for good, beside the latest one and the best weights; null = none',
      ),
    metricsEvery: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .nullable()
      .default(null)
      .describe(
        'Steps between two step events, counted from the first step, so that the curves of all runs have the same steps; null = at most two events a second',
      ),
    sampleLength: z
      .int()
      .min(0)
      .max(10_000)
      .default(40)
      .describe('Tokens of sample text after each epoch; 0 = none'),
  })
  .describe('Training');
export type TrainingConfig = z.infer<typeof TrainingConfig>;
