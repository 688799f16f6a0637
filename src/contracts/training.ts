import { z } from 'zod';

export const LearningRate = z.number().gt(0).max(1000);
const learningRate = (value: number) =>
  LearningRate.default(value).describe('Learning rate, before the schedule is applied');
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
          'Averaging starts when the validation loss is worse than the best of all but the last n (Merity et al. 2017, algorithm 1)',
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
    .describe('Fraction of all steps during which the learning rate rises linearly');

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
        .describe('Divides the learning rate when the validation perplexity does not improve'),
    }),
    z.strictObject({
      type: z.literal('exponential'),
      factor: z
        .number()
        .gt(0)
        .max(1)
        .default(0.8)
        .describe('Multiplies the learning rate at the start of an epoch'),
      fromEpoch: z
        .int()
        .min(2)
        .max(100_000)
        .default(6)
        .describe('First epoch, counted from 1, at which it is applied'),
    }),
    z.strictObject({ type: z.literal('cosine'), warmupFraction: warmupFraction(0), minimumFraction }),
    z.strictObject({ type: z.literal('one-cycle'), warmupFraction: warmupFraction(0.3), minimumFraction }),
  ])
  .describe('Learning-rate schedule');
export type ScheduleConfig = z.infer<typeof ScheduleConfig>;

/** Limits of a training; null = none. */
const mostSeconds = z.number().gt(0).max(31_536_000).nullable().default(null);
const mostSteps = z.int().min(1).max(1_000_000_000).nullable().default(null);

export const TrainingConfig = z
  .strictObject({
    epochs: z.int().min(1).max(100_000).default(4).describe('Passes over the train split'),
    batchSize: z.int().min(1).max(4096).default(20).describe('Number N of parallel text streams'),
    bpttLength: z
      .int()
      .min(1)
      .max(4096)
      .default(35)
      .describe('Number T of time steps through which gradients are propagated (truncated BPTT)'),
    variableBptt: z
      .boolean()
      .default(false)
      .describe(
        'Draw a new length for each batch: mean T with probability 0.95, else T/2; length N(mean, 5), at least 5; the learning rate is scaled by length / T (Merity et al. 2017, section 5)',
      ),
    stateResetProbability: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe(
        'Probability, at each step, that the states of all streams are reset to zero, so that the model learns to begin a text; they are always reset at the beginning of an epoch (Melis et al. 2017: 0.01)',
      ),
    maxGradNorm: z
      .number()
      .gt(0)
      .max(1e6)
      .nullable()
      .default(0.25)
      .describe('Gradient clipping: gradients with a larger joint L2 norm are scaled down to it; null = off'),
    lossReduction: z
      .enum(['mean', 'sum-over-time'])
      .default('mean')
      .describe(
        'The loss to differentiate: the mean over tokens, or the sum over time of the mean over streams (Zaremba et al. 2014)',
      ),
    gradientAccumulation: z
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe(
        'Gradient accumulation: number of parts into which a batch is split along its streams, to save memory',
      ),
    seed: z.int().min(0).max(0xffff_ffff).default(1).describe('Seed of weights, masks and variable lengths'),
    activationRegularization: z
      .number()
      .min(0)
      .max(1000)
      .default(0)
      .describe(
        'α of α·mean(m ⊙ h)²: activation regularization of the output of the last recurrent layer after dropout',
      ),
    temporalActivationRegularization: z
      .number()
      .min(0)
      .max(1000)
      .default(0)
      .describe('β of β·mean(h_t+1 − h_t)²: temporal activation regularization of the last recurrent layer'),
    earlyStopping: z
      .strictObject({
        patience: z
          .int()
          .min(1)
          .max(100_000)
          .default(5)
          .describe('Number of epochs without a better validation perplexity'),
      })
      .nullable()
      .default(null)
      .describe('Stop when the validation perplexity no longer improves; null = off'),
    maxDuration: mostSeconds.describe('Maximum training time, in seconds; null = no limit'),
    timeBudget: mostSeconds.describe(
      'Time budget to plan the training for, in seconds: the speed of the first steps determines the total number of steps, which is corrected once, by the speed until a tenth of them is done; cosine and one-cycle schedules end with them. Unlike maxDuration, it does not cut the training short if the machine becomes slower later; null = train for `epochs`',
    ),
    maxSteps: mostSteps.describe(
      'Maximum number of updates; cosine and one-cycle schedules end with them. The event `succeeded` contains the number of steps of a time budget, plannedSteps: used here, with its firstPlannedSteps, it reproduces that training; null = no limit',
    ),
    firstPlannedSteps: mostSteps.describe(
      'Number of updates that a time budget was planned for before that was corrected to maxSteps. Cosine and one-cycle schedules first lead to it, for a tenth of it and at least 60 updates, and from there to maxSteps, without which it has no effect; null = they lead to maxSteps all the way',
    ),
    onNonFiniteLoss: z
      .enum(['fail', 'rollback'])
      .default('fail')
      .describe(
        'When the loss is not finite. fail: the experiment fails; rollback: go back to the last checkpoint with half the learning rate, once',
      ),
    evaluationBatchSize: z
      .int()
      .min(1)
      .max(1024)
      .default(10)
      .describe('Number of parallel streams for evaluation'),
    checkpointEvery: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .nullable()
      .default(null)
      .describe('Steps between checkpoints within an epoch; null = only at the end of each epoch'),
    keepEvery: z
      .int()
      .min(1)
      .max(1_000_000)
      .nullable()
      .default(null)
      .describe(
        'Epochs between checkpoints that are kept permanently, in addition to the latest one and the best weights; null = none',
      ),
    metricsEvery: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .nullable()
      .default(null)
      .describe(
        'Steps between two step events, counted from the first step, so that the curves of all runs have points at the same steps; null = at most two events per second',
      ),
    sampleLength: z
      .int()
      .min(0)
      .max(10_000)
      .default(40)
      .describe('Length of the sample text after each epoch, in tokens; 0 = none'),
  })
  .describe('Training');
export type TrainingConfig = z.infer<typeof TrainingConfig>;
