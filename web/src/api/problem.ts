import type { z } from 'zod';
import type { Problem as ProblemSchema } from '../../../src/contracts/problem.js';

export type Problem = z.infer<typeof ProblemSchema>;

/** An answer that says what went wrong. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** The server could not be reached, or its answer was cut. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super('The server does not answer', { cause });
    this.name = 'UnreachableError';
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body === 'object' && body !== null && 'code' in body && 'detail' in body) return body as Problem;
  const { status, statusText, url } = response;
  const detail = `The server answered ${status} ${statusText}`;
  return { type: 'about:blank', title: statusText, status, detail, code: 'unknown', instance: url };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
