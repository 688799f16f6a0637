import { z } from 'zod';

const nullableNumber = z.number().nullable();

/** What plateaus have done so far: all that a schedule remembers. */
export const ScheduleState = z.strictObject({
  divisor: z.number().describe('Divides the learning rate'),
  bestValidLoss: nullableNumber,
});
export type ScheduleState = Readonly<z.infer<typeof ScheduleState>>;

/**
 * Where a training stands, as plain numbers. With the tensors beside it, all that exact resume needs. What has a default is
 * not in the checkpoints of earlier versions.
 */
export const TrainerProgress = z.strictObject({
  step: z.int().describe('Updates so far, over all epochs'),
  epoch: z.int().describe('Epochs that are complete'),
  position: z.int().describe('Time steps of the present epoch’s text that were read'),
  epochLoss: z.number().describe('Sum over the present epoch, nats'),
  epochTokens: z.int(),
  epochGradNorm: z.number().describe('Sum of the norms of its steps'),
  epochSteps: z.int(),
  epochSeconds: z.number().describe('Trained (without evaluation) in the present epoch'),
  totalSeconds: z.number().describe('Trained and evaluated in all'),
  windowLoss: z.number().default(0).describe('Sum over the steps since the last step event, nats'),
  windowTokens: z.int().default(0),
  windowSeconds: z.number().default(0),
  bestEpoch: nullableNumber,
  bestValidLoss: nullableNumber,
  lastValidLoss: nullableNumber,
  rollbackDivisor: z.number().describe('After a rollback: divides the learning rate. 1 before'),
  schedule: ScheduleState,
  measuredFrom: nullableNumber
    .default(null)
    .describe('totalSeconds when the steps that measure the speed began'),
  plannedSteps: z.int().nullable().default(null).describe('All steps that the time budget is worth'),
  maskCounter: z.int().describe('Of the random numbers for masks'),
  lengthCounter: z.int().describe('Of those for the lengths of batches'),
});
export type TrainerProgress = z.infer<typeof TrainerProgress>;
