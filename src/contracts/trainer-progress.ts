import { z } from 'zod';
import { EventData } from './events.js';

const nullableNumber = z.number().nullable();

/** The state of a schedule: the effect of the plateaus so far. */
export const ScheduleState = z.strictObject({
  divisor: z.number().describe('Divides the learning rate'),
  bestValidLoss: nullableNumber,
});
export type ScheduleState = Readonly<z.infer<typeof ScheduleState>>;

/** The first plan of a time budget, which is corrected once, and what was measured for that. */
export const FirstPlan = z.strictObject({
  steps: z.int().describe('Total number of steps'),
  seconds: z
    .array(z.number())
    .describe(
      'Training time (without evaluation), in seconds: at the plan, and after each part of the steps until its correction',
    ),
});
export type FirstPlan = Readonly<z.infer<typeof FirstPlan>>;

/**
 * The progress of a training, as plain numbers. Together with the tensors, it is all that exact resume needs. Fields with a default are
 * absent from the checkpoints of earlier versions.
 */
export const TrainerProgress = z.strictObject({
  step: z.int().describe('Updates so far, over all epochs'),
  epoch: z.int().describe('Completed epochs'),
  position: z.int().describe('Time steps of the text read in the current epoch'),
  epochLoss: z.number().describe('Sum over the current epoch, in nats'),
  epochTokens: z.int(),
  epochGradNorm: z.number().describe('Sum of the gradient norms of its steps'),
  epochSteps: z.int(),
  epochSeconds: z.number().describe('Training time (without evaluation) of the current epoch, in seconds'),
  totalSeconds: z.number().describe('Total time of training and evaluation, in seconds'),
  evaluationSeconds: z.number().default(0).describe('Time of the evaluations in totalSeconds'),
  windowLoss: z.number().default(0).describe('Sum over the steps since the last step event, in nats'),
  windowTokens: z.int().default(0),
  windowSeconds: z.number().default(0),
  bestEpoch: nullableNumber,
  bestValidLoss: nullableNumber,
  lastValidLoss: nullableNumber,
  rollbackDivisor: z.number().describe('Divides the learning rate after a rollback; 1 before'),
  schedule: ScheduleState,
  measuredSeconds: z
    .array(z.number())
    .default([])
    .describe('Times of the steps that measure the speed, in seconds; empty once there is a plan'),
  firstPlan: FirstPlan.nullable()
    .default(null)
    .describe(
      'null = not planned yet, or not to be corrected: a plan that is too short, or of an earlier version',
    ),
  plannedSteps: z
    .int()
    .nullable()
    .default(null)
    .describe('Total number of steps that fit in the time budget; final'),
  maskCounter: z.int().describe('Position in the random stream for masks'),
  lengthCounter: z.int().describe('Position in the random stream for batch lengths'),
  recentEpochs: z
    .array(EventData.epoch)
    .default([])
    .describe('Events of the last epochs, to be sent again if the server was killed before it stored them'),
});
export type TrainerProgress = z.infer<typeof TrainerProgress>;
