import { z } from 'zod';

/** An error as it crosses a thread, a process or the database. */
export const SerializedError = z.object({
  code: z.string().describe('What happened, for programs; codes do not change'),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).describe('Facts that complete the message'),
});
export type SerializedError = z.infer<typeof SerializedError>;
