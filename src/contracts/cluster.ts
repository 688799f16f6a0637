/** Messages between the server and its trainers, sent through Redis. */
import { z } from 'zod';
import { BackendReport, RunEvent, StopMode, TrainingOutcome } from './jobs.js';
import { Machine } from './machine.js';

/** An entry of a run's stream: an event of the training, or its outcome. */
export const RunEntry = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('event'), ...RunEvent.shape }),
  z.strictObject({ type: z.literal('outcome'), outcome: TrainingOutcome }),
]);
export type RunEntry = z.infer<typeof RunEntry>;

/** A request to the trainer of a run. */
export const RunRequest = z.enum([...StopMode.options, 'kill']);
export type RunRequest = z.infer<typeof RunRequest>;

/** The report that a trainer publishes periodically. */
export const TrainerReport = z.strictObject({
  id: z.string(),
  hostname: z.string(),
  ...Machine.shape,
  slots: z.int().min(0).describe('Trainings that it runs in parallel; 0 while it drains'),
  active: z.array(z.string()).describe('Experiments that it is training'),
  backend: BackendReport.nullable(),
});
export type TrainerReport = z.infer<typeof TrainerReport>;
