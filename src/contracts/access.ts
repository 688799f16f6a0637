/** Who may call what. */
import { z } from 'zod';

/** From the least to the most: each may do what those before it may. */
export const SCOPES = ['read', 'train', 'admin'] as const;

/** Of the machines that train for a server: they fetch and bring files, and may do nothing else. */
const TRAINER = 'trainer';

export const Scope = z
  .enum([...SCOPES, TRAINER])
  .describe(
    'read: look, follow, write, score and evaluate; train: also create and steer experiments, and upload; admin: also delete; trainer: only fetch and bring files for trainings on other machines',
  );
export type Scope = z.infer<typeof Scope>;

/** Whether who has one scope may do what needs another. */
export function includesScope(has: Scope, needs: Scope): boolean {
  if (needs === TRAINER) return has === TRAINER || has === 'admin';
  return has !== TRAINER && SCOPES.indexOf(has) >= SCOPES.indexOf(needs);
}

export const KeyName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'must be 1 to 63 of A-Z a-z 0-9 . _ - and begin with a letter or digit',
  );

/** What is kept of a key; never the key itself. */
export const ApiKey = z.object({
  name: KeyName,
  scope: Scope,
  prefix: z.string().describe('Its first characters'),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable().describe('To the minute'),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** A ticket stands for a key in an address, where no header can be sent. */
export const Ticket = z
  .object({
    ticket: z.string().describe('To be sent once as ?ticket='),
    expiresAt: z.string(),
  })
  .meta({
    id: 'Ticket',
    examples: [{ ticket: 'eWLgqNDwyoLWodCOLGYmO9ClcJMONhW6', expiresAt: '2026-11-25T16:03:35.798Z' }],
  });
export type Ticket = z.infer<typeof Ticket>;
