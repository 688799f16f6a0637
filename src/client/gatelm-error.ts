import type { z } from 'zod';
import type { Problem } from '../contracts/problem.js';

type ProblemBody = Partial<z.infer<typeof Problem>>;

/** What a gatelm server refused, or could not do, in its own words. */
export class GatelmError extends Error {
  override readonly name = 'GatelmError';
  /** HTTP status of the answer. */
  readonly status: number;
  /** Stable name of what happened, such as `experiment-not-found`. */
  readonly code: string;
  /** The whole answer: `errors` lists every wrong field, `details` has facts that complete the message. */
  readonly problem: ProblemBody;

  constructor(status: number, problem: ProblemBody) {
    super(messageOf(status, problem));
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.problem = problem;
  }
}

/** The server cannot be reached at all. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';

  constructor(url: string, cause: unknown) {
    const { cause: inner, message } = cause as Error & {
      readonly cause?: Error & { readonly code?: string };
    };
    const reason = inner?.code ?? inner?.message ?? message;
    super(`No gatelm server answers at ${url} (${reason})`, { cause });
  }
}

function messageOf(status: number, { detail, title, errors }: ProblemBody): string {
  const text = detail ?? title ?? `HTTP ${status}`;
  const others = (errors ?? []).filter(({ message }) => !text.includes(message)); // the detail names at least the first
  return text + others.map(({ path, message }) => `\n  ${path}: ${message}`).join('');
}
