import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../contracts/problem.js';
import type { ValidationIssue } from '../contracts/validation.js';
import { type AppError, appError, type ErrorKind } from '../errors.js';
import { isOpenAiPath, toOpenAiError } from './openai-error.js';

/** HTTP status and title of each kind of error; the only place with this mapping. */
const STATUS: Readonly<Record<ErrorKind, readonly [status: number, title: string]>> = {
  invalid: [400, 'The request is not valid'],
  unauthorized: [401, 'An API key is needed'],
  forbidden: [403, 'Not allowed'],
  'not-found': [404, 'Not found'],
  'not-allowed': [405, 'Method not allowed'],
  conflict: [409, 'Conflict with the current state'],
  'too-large': [413, 'Too large'],
  unsupported: [415, 'The type of the body is not supported'],
  'too-many': [429, 'Too many requests; try again later'],
  'no-room': [507, 'The disk is full'],
  internal: [500, 'Internal error'],
  unavailable: [503, 'A part of the service is not available; try again later'],
};

/** Default of Retry-After, in seconds. */
const RETRY_SECONDS = 5;

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** The responses of a route, with the problem response that every route has. */
export function withProblems<Responses extends object>(responses: Responses) {
  return {
    ...responses,
    default: {
      description: 'An error (RFC 9457)',
      content: { 'application/problem+json': { schema: Problem } },
    },
  };
}

/** Error handler: answers every error with a problem; unexpected errors are logged, and the response carries only their reference. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = recognizeError(error, request);
  const [status] = STATUS[known.kind];
  if (known.kind === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  if (known.kind === 'too-many' || known.kind === 'unavailable') {
    const { seconds } = known.details;
    reply.header('retry-after', typeof seconds === 'number' ? seconds : RETRY_SECONDS);
  }
  if (isOpenAiPath(request.url))
    return reply
      .code(status)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(toOpenAiError(known)));
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(toProblem(known, request.url)));
}

/** An error in the format of RFC 9457. */
export function toProblem(error: AppError, url: string): Problem {
  const [status, title] = STATUS[error.kind];
  const {
    issues,
    summary: _,
    ...details
  } = error.details as { issues?: ValidationIssue[]; summary?: string };
  return {
    type: `urn:gatelm:error:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    instance: url.slice(0, 500),
    ...(issues && { errors: issues }),
    ...(Object.keys(details).length > 0 && { details }),
  };
}

/** The error to report to the client; unexpected errors are logged. */
export function recognizeError(error: unknown, request: FastifyRequest): AppError {
  if (hasLeft(request)) {
    request.log.info(
      { reason: error instanceof Error ? error.message : String(error) },
      'the client disconnected',
    );
    return isAppError(error) && error.code === 'cancelled' ? error : appError('cancelled', {}, error);
  }
  if (isAppError(error)) {
    if (error.kind !== 'internal') return error;
    request.log.error({ err: error }, 'a request failed');
    return error.code === 'internal' ? appError('internal', { reference: request.id }) : error;
  }
  const {
    code = '',
    statusCode = 500,
    message = '',
  } = error as Partial<Error> & { code?: string; statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE' || statusCode === 413)
    return appError('body-too-large', { limit: request.routeOptions.bodyLimit });
  if (statusCode === 415)
    return appError('unsupported-media-type', {
      type: request.headers['content-type'] ?? 'none',
      advice: adviseType(request),
    });
  if (statusCode < 500) return appError('bad-request', { reason: message });
  request.log.error({ err: error }, 'a request failed');
  return appError('internal', { reference: request.id });
}

/** Which types of bodies a route reads. */
function adviseType({ routeOptions }: FastifyRequest): string {
  const { form, text, file } = routeOptions.config?.streamedBody ?? {};
  const types = [
    ...(form ? ['multipart/form-data'] : []),
    ...(text ? ['text/plain'] : []),
    ...(file ? [file.type] : []),
  ];
  return `; send ${types.length > 0 ? types.join(' or ') : 'application/json'}`;
}

/** Whether the connection was closed before the request was read or answered. */
function hasLeft({ raw }: FastifyRequest): boolean {
  return raw.socket?.destroyed === true; // no socket: a request that was injected
}

function isAppError(error: unknown): error is AppError {
  return error instanceof Error && error.name === 'AppError' && 'kind' in error;
}
