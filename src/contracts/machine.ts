/** What machines have, and what an experiment needs of one. */
import { z } from 'zod';

export const MachineLabel = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower-case letters, digits, dots, dashes, underscores');

/** A machine that trains. */
export const Machine = z.strictObject({
  labels: z
    .array(MachineLabel)
    .describe('Platform, architecture, features of its CPU, and what it was given'),
  memoryBytes: z.number().describe('Of the whole machine'),
});
export type Machine = z.infer<typeof Machine>;

/** What an experiment needs of the machine that trains it. */
export const MachineRequirements = z
  .strictObject({
    labels: z
      .array(MachineLabel)
      .max(16)
      .default([])
      .describe('All of them, as in ["avx512f"]: what `gatelm trainer` says when it starts, and its --label'),
    memoryGib: z.number().gt(0).max(1_000_000).optional().describe('Least memory of the machine, in GiB'),
  })
  .describe('What the machine needs to have; it waits in the queue until there is one');
export type MachineRequirements = z.infer<typeof MachineRequirements>;

const GIB = 1024 ** 3;

/** Whether a machine has what is needed. */
export function meets({ labels, memoryBytes }: Machine, required: MachineRequirements | undefined): boolean {
  if (!required) return true;
  const hasMemory = required.memoryGib === undefined || memoryBytes >= required.memoryGib * GIB;
  return hasMemory && required.labels.every((label) => labels.includes(label));
}
