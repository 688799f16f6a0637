import { z } from 'zod';

/** The key of an artifact: a path with forward slashes relative to the data folder, which cannot leave that folder. */
export const ArtifactKey = z
  .string()
  .max(500)
  .regex(/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/, 'a key is a relative path of letters, digits, ".", "_" and "-"')
  .describe('A path relative to the data folder, with forward slashes');
export type ArtifactKey = z.infer<typeof ArtifactKey>;

/** Size and digest of an artifact; equal digests mean equal contents. */
export const ArtifactInfo = z.strictObject({
  bytes: z.int().min(0),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('SHA-256 of the contents, hexadecimal'),
});
export type ArtifactInfo = z.infer<typeof ArtifactInfo>;
