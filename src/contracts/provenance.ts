import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 has 64 hexadecimal digits');

export const Instructions = z
  .string()
  .nullable()
  .describe(
    'Instruction set of the fused kernels: portable, avx2, avx512, avx512bf16 or amx; null = composed',
  );

/** What the bits of a training depend on beside its config and the number of threads. */
export const Provenance = z.strictObject({
  version: z.string().describe('Version of gatelm'),
  commit: z
    .string()
    .nullable()
    .describe('Commit of its checkout, with -dirty behind it if files were changed; null = not a checkout'),
  node: z.string().describe('Version of Node.js'),
  tensorflow: z.string().describe('Version of the TensorFlow library'),
  cpu: z.string().describe('Name of the processor'),
  instructions: Instructions,
  corpus: sha256.describe('SHA-256 over the SHA-256 of the texts of train, valid and test'),
  vocabulary: sha256.describe('SHA-256 of the tokens in the order of their ids, as JSON'),
});
export type Provenance = z.infer<typeof Provenance>;

/** What an attempt ran on. */
export const ExperimentRun = z.object({
  backend: z.string(),
  kernels: z.string(),
  threads: z.number(),
  provenance: Provenance.optional().describe('Attempts of earlier versions do not have it'),
});
export type ExperimentRun = z.infer<typeof ExperimentRun>;
