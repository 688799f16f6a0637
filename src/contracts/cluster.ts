/** What the server and its trainers say to each other through Redis. */
import { z } from 'zod';
import { BackendReport, RunEvent, StopMode, TrainingOutcome } from './jobs.js';

/** An entry of a run's stream: what the training said, or how it ended. */
export const RunEntry = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('event'), ...RunEvent.shape }),
  z.strictObject({ type: z.literal('outcome'), outcome: TrainingOutcome }),
]);
export type RunEntry = z.infer<typeof RunEntry>;

/** What a trainer is asked to do with a run. */
export const RunRequest = z.enum([...StopMode.options, 'kill']);
export type RunRequest = z.infer<typeof RunRequest>;

/** A trainer, as it says itself again and again. */
export const TrainerReport = z.strictObject({
  id: z.string(),
  hostname: z.string(),
  slots: z.int().min(0).describe('Trainings that it takes side by side; 0 while it drains'),
  active: z.array(z.string()).describe('Experiments that it trains'),
  backend: BackendReport.nullable(),
});
export type TrainerReport = z.infer<typeof TrainerReport>;
