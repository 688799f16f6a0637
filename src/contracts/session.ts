/** Sessions: texts that go on from request to request. */
import { z } from 'zod';
import { EXAMPLE_DIGEST, EXAMPLE_EXPERIMENT_ID, EXAMPLE_SESSION_ID } from './example-values.js';
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
export const SessionState = z
  .strictObject({
    digest: z.string().min(1).max(200).describe('SHA-256 of the weights that it belongs to'),
    tokens: z.int().min(0).describe('Tokens read and written so far'),
    point: TextPoint,
  })
  .meta({
    id: 'SessionState',
    examples: [
      // of a model with one layer of one unit, so that it is short
      { digest: EXAMPLE_DIGEST, tokens: 2, point: { state: 'TQuWPSnOsbw=', tail: [9, 212, 499] } },
    ],
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
  })
  .meta({ examples: [{ prompt: 'the old man said' }] });
export type CreateSessionBody = z.infer<typeof CreateSessionBody>;

export const FeedBody = z
  .strictObject({ text: text.min(1).describe('What the text goes on with') })
  .meta({ examples: [{ text: 'and then he went home' }] });

export const SessionGenerateBody = GenerationRequest.extend({
  prompt: text.default('').describe('Is fed first'),
}).meta({ examples: [{ maxTokens: 50, temperature: 0.8, seed: 1 }] });
export type SessionGenerateBody = z.infer<typeof SessionGenerateBody>;

export const Session = z
  .object({
    id: z.string(),
    experimentId: z.string(),
    tokens: z.int().describe('Tokens read and written so far'),
    createdAt: z.string(),
    expiresAt: z.string().describe('Unless it is used before'),
  })
  .meta({
    id: 'Session',
    examples: [
      {
        id: EXAMPLE_SESSION_ID,
        experimentId: EXAMPLE_EXPERIMENT_ID,
        tokens: 2,
        createdAt: '2026-11-25T16:13:05.183Z',
        expiresAt: '2026-11-25T17:13:05.183Z',
      },
    ],
  });
export type Session = z.infer<typeof Session>;
