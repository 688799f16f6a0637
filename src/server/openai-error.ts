import { OpenAiError } from '../contracts/openai.js';
import type { ValidationIssue } from '../contracts/validation.js';
import type { AppError, ErrorCode, ErrorKind } from '../errors.js';

/** OpenAI's error codes, where there is a corresponding one. */
const CODES: Partial<Readonly<Record<ErrorCode, string>>> = {
  'experiment-not-found': 'model_not_found',
  unauthorized: 'invalid_api_key',
  'rate-limited': 'rate_limit_exceeded',
};
const TYPES: Partial<Readonly<Record<ErrorKind, string>>> = {
  'too-many': 'rate_limit_error',
  internal: 'server_error',
  unavailable: 'server_error',
};

/** Whether the errors of a path use OpenAI's format. */
export function isOpenAiPath(url: string): boolean {
  return /^\/v1(\/|\?|$)/.test(url);
}

/** An error in OpenAI's format. */
export function toOpenAiError({ code, kind, message, details }: AppError): OpenAiError {
  const [issue] = (details as { issues?: readonly ValidationIssue[] }).issues ?? [];
  return {
    error: {
      message,
      type: TYPES[kind] ?? 'invalid_request_error',
      param: code === 'experiment-not-found' ? 'model' : issue?.path || null,
      code: CODES[code] ?? code,
    },
  };
}

/** The responses of a route of /v1, with the error response that all of them have. */
export function withOpenAiErrors<Responses extends object>(responses: Responses) {
  return {
    ...responses,
    default: { description: 'An error', content: { 'application/json': { schema: OpenAiError } } },
  };
}
