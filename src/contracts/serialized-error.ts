import { z } from 'zod';

/** An error as it is passed between threads and processes and stored in the database. */
export const SerializedError = z.object({
  code: z.string().describe('Machine-readable error code; codes are stable'),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).describe('Additional facts about the error'),
});
export type SerializedError = z.infer<typeof SerializedError>;
