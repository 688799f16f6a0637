import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

/** Resource limits of an inference thread. */
export const InferenceLimits = z.strictObject({
  streams: z
    .int()
    .min(1)
    .max(1024)
    .default(64)
    .describe('Texts that one model generates in parallel in a thread; further ones wait'),
  promptCacheBytes: z
    .int()
    .min(0)
    .max(64 * 1024 * MEBIBYTE)
    .default(32 * MEBIBYTE)
    .describe(
      'Size of the prompt cache of a model, in bytes: it holds the states after prompts, so that a repeated prefix is not read again',
    ),
  warmModelBytes: z
    .int()
    .min(0)
    .max(1024 * 1024 * MEBIBYTE)
    .default(1024 * MEBIBYTE)
    .describe(
      'Memory of the models that a thread keeps loaded, in bytes; the least recently used is unloaded first',
    ),
});
export type InferenceLimits = z.infer<typeof InferenceLimits>;
