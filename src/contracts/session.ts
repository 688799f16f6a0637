/** Sessions: texts that continue across requests. */
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

/** The complete state of a session; it can be exported, and restored as long as the experiment has the same weights. */
export const SessionState = z
  .strictObject({
    digest: z.string().min(1).max(200).describe('SHA-256 of the weights that the state belongs to'),
    tokens: z.int().min(0).describe('Tokens read and generated so far'),
    point: TextPoint,
  })
  .meta({
    id: 'SessionState',
    examples: [
      // of a model with one layer of one unit, so that it is short
      {
        digest: EXAMPLE_DIGEST,
        tokens: 2,
        point: { state: 'TQuWPSnOsbw=', tail: [9, 212, 499], endsWithSpace: false },
      },
    ],
  });
export type SessionState = z.infer<typeof SessionState>;

export const CreateSessionBody = z
  .strictObject({
    experiment: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('Id or name of an experiment; default: the best one'),
    prompt: text.default('').describe('Beginning of the text'),
    state: SessionState.optional().describe(
      'An exported state to continue from; cannot be combined with a prompt',
    ),
  })
  .superRefine(({ prompt, state }, context) => {
    if (state && prompt)
      context.addIssue({
        code: 'custom',
        path: ['prompt'],
        message: 'cannot be combined with state; feed it afterwards',
      });
  })
  .meta({ examples: [{ prompt: 'the old man said' }] });
export type CreateSessionBody = z.infer<typeof CreateSessionBody>;

export const FeedBody = z
  .strictObject({ text: text.min(1).describe('Text to append') })
  .meta({ examples: [{ text: 'and then he went home' }] });

export const SessionGenerateBody = GenerationRequest.extend({
  prompt: text.default('').describe('Text to append first'),
}).meta({ examples: [{ maxTokens: 50, temperature: 0.8, seed: 1 }] });
export type SessionGenerateBody = z.infer<typeof SessionGenerateBody>;

export const Session = z
  .object({
    id: z.string(),
    experimentId: z.string(),
    tokens: z.int().describe('Tokens read and generated so far'),
    createdAt: z.string(),
    expiresAt: z.string().describe('Expiry time, which each use moves'),
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
