import { z } from 'zod';

/** `backup.json`: the files of a backup, so that a restore can verify them. */
export const BackupManifest = z.object({
  version: z.literal(1),
  createdAt: z.string(),
  files: z.array(
    z.object({ path: z.string().describe('Relative to the backup'), bytes: z.int(), sha256: z.string() }),
  ),
});
export type BackupManifest = z.infer<typeof BackupManifest>;
