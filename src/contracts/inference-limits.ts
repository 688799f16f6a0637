import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

/** What an inference thread may use. */
export const InferenceLimits = z.strictObject({
  streams: z
    .int()
    .min(1)
    .max(1024)
    .default(64)
    .describe('Texts that one model writes side by side in a thread; more wait for their turn'),
  promptCacheBytes: z
    .int()
    .min(0)
    .max(64 * 1024 * MEBIBYTE)
    .default(32 * MEBIBYTE)
    .describe(
      'Memory of the states after prompts that a model has read, in bytes, so that a repeated beginning is free',
    ),
  warmModelBytes: z
    .int()
    .min(0)
    .max(1024 * 1024 * MEBIBYTE)
    .default(1024 * MEBIBYTE)
    .describe('Memory of the models that a thread keeps, in bytes; the least recently used goes first'),
});
export type InferenceLimits = z.infer<typeof InferenceLimits>;
