/** Scopes of API keys: which key may call which route. */
import { z } from 'zod';

/** In ascending order: each scope includes those before it. */
export const SCOPES = ['read', 'train', 'admin'] as const;

/** The scopes of machines that work for a server: one includes no other. */
const MACHINE_SCOPES = ['trainer', 'inferencer'] as const;

export const Scope = z
  .enum([...SCOPES, ...MACHINE_SCOPES])
  .describe(
    'read: view and follow experiments, generate, score and evaluate text; train: also create and control experiments, and upload; admin: also delete; trainer: only download and upload the files of trainings on other machines; inferencer: only run inference tasks on another machine, and download models',
  );
export type Scope = z.infer<typeof Scope>;

/** Whether a key with the scope `has` may call what requires the scope `needs`. */
export function includesScope(has: Scope, needs: Scope): boolean {
  if (isMachineScope(needs)) return has === needs || has === 'admin';
  return !isMachineScope(has) && SCOPES.indexOf(has) >= SCOPES.indexOf(needs);
}

function isMachineScope(scope: Scope): scope is (typeof MACHINE_SCOPES)[number] {
  return (MACHINE_SCOPES as readonly Scope[]).includes(scope);
}

export const KeyName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'must be 1 to 63 of A-Z a-z 0-9 . _ - and begin with a letter or digit',
  );

/** What is stored about a key; never the key itself. */
export const ApiKey = z.object({
  name: KeyName,
  scope: Scope,
  prefix: z.string().describe('First characters of the key'),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable().describe('With a resolution of one minute'),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** A ticket replaces the key in a URL, for clients that cannot send headers. */
export const Ticket = z
  .object({
    ticket: z.string().describe('Send it once, as ?ticket='),
    expiresAt: z.string(),
  })
  .meta({
    id: 'Ticket',
    examples: [{ ticket: 'eWLgqNDwyoLWodCOLGYmO9ClcJMONhW6', expiresAt: '2026-11-25T16:03:35.798Z' }],
  });
export type Ticket = z.infer<typeof Ticket>;
