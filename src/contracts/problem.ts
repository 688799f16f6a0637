import { z } from 'zod';
import { type AppError, deserializeError } from '../errors.js';
import { ValidationIssue } from './validation.js';

/** The body of every error response (RFC 9457). */
export const Problem = z
  .object({
    type: z.string().describe('urn:gatelm:error: followed by the code'),
    title: z.string().describe('The kind of error'),
    status: z.int(),
    detail: z.string().describe('Human-readable description'),
    code: z.string().describe('Machine-readable error code; codes are stable'),
    instance: z.string().describe('URL of the request that failed'),
    errors: z.array(ValidationIssue).optional().describe('All invalid fields, if the request is not valid'),
    details: z.record(z.string(), z.unknown()).optional().describe('Additional facts about the error'),
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

const Refusal = Problem.pick({ code: true, detail: true });

/** The error that another gatelm answered with. @param body of its response, parsed */
export function errorOfProblem(status: number, body: unknown): AppError {
  const { code, detail: message } = Refusal.safeParse(body).data ?? {
    code: 'bad-request',
    detail: `The server answers with HTTP ${status}`,
  };
  return deserializeError({ code, message, details: {} });
}

/** The error codes that a client may receive. */
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
