import { z } from 'zod';
import { ValidationIssue } from './validation.js';

/** Every error answer (RFC 9457). */
export const Problem = z
  .object({
    type: z.string().describe('urn:gatelm:error: and the code'),
    title: z.string().describe('The kind of error'),
    status: z.int(),
    detail: z.string().describe('What happened, for people'),
    code: z.string().describe('What happened, for programs; codes do not change'),
    instance: z.string().describe('The request that failed'),
    errors: z.array(ValidationIssue).optional().describe('Every wrong field, when the request is not valid'),
    details: z.record(z.string(), z.unknown()).optional().describe('Facts that complete the detail'),
  })
  .meta({
    id: 'Problem',
    examples: [
      {
        type: 'urn:gatelm:error:validation-failed',
        title: 'The request is not valid',
        status: 400,
        detail: 'The query is not valid: limit: expected at least 1, got 0',
        code: 'validation-failed',
        instance: '/experiments?limit=0',
        errors: [
          { path: 'limit', message: 'expected at least 1, got 0', expected: 'at least 1', received: '0' },
        ],
      },
    ],
  });
export type Problem = z.infer<typeof Problem>;

/** What a client may have to handle. */
export const ErrorList = z
  .object({ items: z.array(Problem.pick({ code: true, type: true, status: true, title: true })) })
  .meta({
    id: 'ErrorList',
    examples: [
      {
        items: [
          {
            code: 'validation-failed',
            type: 'urn:gatelm:error:validation-failed',
            status: 400,
            title: 'The request is not valid',
          },
        ],
      },
    ],
  });
