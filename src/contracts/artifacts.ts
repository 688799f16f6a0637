import { z } from 'zod';

/** Where something lies: a path relative to the data folder, with slashes, which leads nowhere else. */
export const ArtifactKey = z
  .string()
  .max(500)
  .regex(/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/, 'a key is a relative path of letters, digits, ".", "_" and "-"')
  .describe('A path relative to the data folder, with slashes');
export type ArtifactKey = z.infer<typeof ArtifactKey>;

/** What an artifact is: two with the same SHA-256 are the same. */
export const ArtifactInfo = z.strictObject({
  bytes: z.int().min(0),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('Of the bytes, hexadecimal'),
});
export type ArtifactInfo = z.infer<typeof ArtifactInfo>;
