/** Sessions: texts that go on from request to request. */
import { z } from 'zod';
import { EXAMPLE_SESSION_ID } from './example-ids.js';
import { GenerationRequest, TextPoint } from './generation.js';

const text = z.string().max(1_000_000);

export const SessionParams = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(64)
    .describe('Id of a session')
    .meta({ examples: [EXAMPLE_SESSION_ID] }),
});

/** All that a session is; can be kept elsewhere and brought back while the experiment has these weights. */
export const SessionState = z.strictObject({
  digest: z.string().min(1).max(200).describe('SHA-256 of the weights that it belongs to'),
  tokens: z.int().min(0).describe('Tokens read and written so far'),
  point: TextPoint,
});
export type SessionState = z.infer<typeof SessionState>;

export const CreateSessionBody = z
  .strictObject({
    experiment: z.string().min(1).max(200).optional().describe('Id or name; default: the best one'),
    prompt: text.default('').describe('What the text begins with'),
    state: SessionState.optional().describe('Go on from a state that was exported; no prompt beside it'),
  })
  .superRefine(({ prompt, state }, context) => {
    if (state && prompt)
      context.addIssue({
        code: 'custom',
        path: ['prompt'],
        message: 'cannot stand beside state; feed it afterwards',
      });
  });
export type CreateSessionBody = z.infer<typeof CreateSessionBody>;

export const FeedBody = z.strictObject({ text: text.min(1).describe('What the text goes on with') });

export const SessionGenerateBody = GenerationRequest.extend({
  prompt: text.default('').describe('Is fed first'),
});
export type SessionGenerateBody = z.infer<typeof SessionGenerateBody>;

export const Session = z.object({
  id: z.string(),
  experimentId: z.string(),
  tokens: z.int().describe('Tokens read and written so far'),
  createdAt: z.string(),
  expiresAt: z.string().describe('Unless it is used before'),
});
export type Session = z.infer<typeof Session>;
