/**
 * The one table of errors. Everything that gatelm refuses or fails at is an {@link AppError} with a code from here;
 * the HTTP status of a kind is mapped in the server's error handler alone.
 */
import type { SerializedError } from './contracts/serialized-error.js';

/** What went wrong, seen from the caller: decides the HTTP status and the exit code, nothing else. */
export type ErrorKind =
  | 'invalid' // the request can never succeed as it is
  | 'not-found'
  | 'conflict' // it does not fit the present state
  | 'too-large'
  | 'unsupported' // the type or encoding of the body is not supported
  | 'not-allowed' // the path exists, the method does not
  | 'too-many' // a queue or a rate is exhausted; try again later
  | 'unauthorized'
  | 'forbidden'
  | 'unavailable' // a part of the service is down; try again later
  | 'no-room' // the disk or the disk quota is full
  | 'internal';

/** Facts that complete the message; plain data, safe to send to a client. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

interface ErrorRow {
  readonly kind: ErrorKind;
  /** Names the subject, what was expected and what was received. `{name}` is replaced by the detail of that name. */
  readonly message: string;
}

const row = (kind: ErrorKind, message: string): ErrorRow => ({ kind, message });

const TABLE = {
  // configuration and requests
  'validation-failed': row('invalid', '{summary}'),
  'config-conflict': row('invalid', '{field}: {reason}'),

  // corpora
  'corpus-not-found': row('not-found', 'There is no corpus "{corpus}"; known: {known}'),
  'corpus-unavailable': row('unavailable', 'The corpus "{corpus}" could not be fetched: {reason}'),
  'corpus-too-short': row(
    'invalid',
    'The {split} split has {tokens} tokens; at least {least} are needed{why}',
  ),
  'corpus-not-text': row('invalid', 'The text is not UTF-8: {reason} at byte {offset}'),
  'corpus-in-use': row('conflict', 'The corpus "{corpus}" is in use by experiment {experiment}'),
  'corpus-exists': row('conflict', 'A corpus named "{corpus}" already exists'),
  'word-too-long': row(
    'invalid',
    'The text has no white space in the {limit} characters after byte {byte}; streamed text needs white space between words',
  ),
  'tokenizer-invalid': row('invalid', '{file}: {reason}'),
  'token-id-out-of-range': row('invalid', 'Token id {id} is outside the vocabulary of {size} tokens'),

  // tensors, layers, models
  'shape-mismatch': row('internal', 'Expected {expected}, got {actual} in {where}'),
  'backend-unavailable': row('unavailable', 'The backend "{backend}" cannot be loaded: {reason}'),
  'precision-unavailable': row(
    'invalid',
    'precision: "bfloat16" needs the fused native kernels, and this process runs {kernels} kernels on {backend}',
  ),

  // training
  'loss-not-finite': row(
    'internal',
    'The loss became {loss} at step {step} (epoch {epoch}); try a smaller learningRate (it was {learningRate}) or a smaller maxGradNorm (it was {maxGradNorm})',
  ),
  'out-of-disk': row(
    'unavailable',
    'Writing {file} failed: no space left on the device; free some space and resume',
  ),
  'disk-quota-exceeded': row(
    'no-room',
    'The disk quota is used up: the data folder holds {used} bytes, GATELM_DISK_QUOTA_BYTES is {quota}. Delete experiments or corpora, or raise the quota',
  ),
  'write-failed': row('unavailable', 'Writing {file} failed: {reason}'),

  // checkpoints
  'checkpoint-not-found': row('not-found', 'Experiment {experiment} has no checkpoint {checkpoint}'),
  'checkpoint-corrupt': row('invalid', '{file} is not usable: {reason}'),
  'tensor-mismatch': row('invalid', 'Tensor "{tensor}": expected {expected}, got {actual}'),

  'artifact-not-found': row('not-found', 'There is no artifact {key}'),
  'lease-lost': row('conflict', 'Attempt {attempt} of experiment {experiment} no longer holds the lease'),
  'artifact-corrupt': row('invalid', '{key} was not transferred intact: {reason}'),
  'storage-refused': row(
    'forbidden',
    '{store} refused access to {key}: {reason}; check the bucket, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  ),

  // experiments
  'experiment-not-found': row('not-found', 'There is no experiment "{experiment}"'),
  'experiment-untrained': row(
    'conflict',
    'Experiment {experiment} is {state} and has no weights yet; wait for its first epoch',
  ),
  'session-not-found': row('not-found', 'There is no session "{session}"; it may have expired'),
  'session-busy': row('conflict', 'Session {session} is busy with another request; wait for its answer'),
  'session-stale': row(
    'conflict',
    'The session belongs to weights {expected} of experiment {experiment}, whose weights have changed to {actual}',
  ),
  'session-invalid': row('invalid', 'The session state does not fit this model: {reason}'),
  'no-experiment': row('not-found', 'No experiment has succeeded yet; POST /experiments starts one'),
  'state-conflict': row('conflict', 'Experiment {experiment} is {state}; {verb} needs it to be {allowed}'),
  'sweep-not-found': row('not-found', 'There is no sweep "{sweep}"'),
  'sweep-state-conflict': row('conflict', 'Sweep {sweep} is {state}; {verb} needs it to be {allowed}'),
  'queue-full': row('too-many', '{what} is full ({limit}); try again later'),
  'idempotency-conflict': row('conflict', 'Idempotency-Key "{key}" was already used with a different body'),
  cancelled: row('unavailable', 'The request was cancelled'),
  'deadline-exceeded': row('unavailable', '{what} did not finish within {limitMs} ms'),

  // processes
  'host-unavailable': row('unavailable', 'The {host} host is not running: {reason}'),
  'host-died': row('internal', 'The {host} host exited (code {exitCode}, signal {signal})'),
  'version-mismatch': row(
    'conflict',
    'The server has version {expected} of gatelm, this inferencer {actual}; both need the same',
  ),

  // store
  'database-newer': row(
    'internal',
    'The database has schema version {actual}, this gatelm supports {known}; use a newer gatelm',
  ),
  'data-folder-missing': row(
    'unavailable',
    'The data folder {folder} cannot be used: {reason}. Restore it, or restart the server',
  ),
  'database-unusable': row('unavailable', 'The database {file} cannot be used: {reason}'),

  // server
  'route-not-found': row('not-found', 'There is no {method} {path}{hint}'),
  'body-too-large': row('too-large', 'The body is larger than {limit} bytes'),
  'bad-request': row('invalid', '{reason}'),
  'method-not-allowed': row('not-allowed', 'There is no {method} {path}; allowed: {allowed}'),
  'unsupported-encoding': row('unsupported', 'Content-Encoding {encoding} is not supported here; {advice}'),
  'unsupported-media-type': row('unsupported', 'Content-Type {type} is not supported here{advice}'),
  'cross-origin': row(
    'forbidden',
    'Origin {origin} may not call this server; GATELM_ALLOWED_ORIGINS lists the allowed origins',
  ),
  'foreign-host': row('forbidden', 'This server does not answer requests for the host {host}'),
  unauthorized: row('unauthorized', 'An API key is needed: Authorization: Bearer KEY'),
  forbidden: row('forbidden', 'This needs a key with the scope "{scope}"; "{key}" has "{has}"'),
  'api-key-exists': row('conflict', 'An API key named "{name}" already exists'),
  'api-key-not-found': row('not-found', 'There is no API key named "{name}"'),
  'rate-limited': row('too-many', 'More than {limit} requests in {window}; try again in {seconds} s'),
  'unsafe-origins': row(
    'invalid',
    'GATELM_ALLOWED_ORIGINS=* needs API keys (gatelm keys create, or GATELM_API_KEYS): without them, any website could call this server',
  ),
  'unsafe-bind': row(
    'invalid',
    'Binding to {host} needs API keys (gatelm keys create, or GATELM_API_KEYS); without them, only loopback is allowed',
  ),
  internal: row('internal', 'Internal error; the log has the details under {reference}'),
} as const satisfies Record<string, ErrorRow>;

/** A stable, documented name of an error. */
export type ErrorCode = keyof typeof TABLE;

/** All codes, for documentation and tests. */
export const ERROR_CODES = Object.keys(TABLE) as readonly ErrorCode[];

/** An error with a stable code. Crosses threads and processes as `{ code, message, details }`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { cause?: unknown; message?: string }) {
    super(options?.message ?? fill(TABLE[code].message, details), { cause: options?.cause });
    this.name = 'AppError';
    this.code = code;
    this.kind = TABLE[code].kind;
    this.details = details;
  }

  toJSON(): SerializedError {
    return { code: this.code, message: this.message, details: { ...this.details } };
  }
}

/** `throw appError(code, details)` reads as a sentence. */
export function appError(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown): AppError {
  return new AppError(code, details, cause === undefined ? {} : { cause });
}

/** Any thrown value as plain data; what is not an {@link AppError} becomes `internal` with its own message. */
export function serializeError(error: unknown): SerializedError {
  if (error instanceof AppError) return error.toJSON();
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message, details: {} };
}

/** The inverse of {@link serializeError}; unknown codes (of a newer process) become `internal`. */
export function deserializeError(error: SerializedError): AppError {
  const code = Object.hasOwn(TABLE, error.code) ? (error.code as ErrorCode) : 'internal';
  return new AppError(code, error.details, { message: error.message });
}

function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = details[name];
    return typeof value === 'string' ? value : value === undefined ? '?' : JSON.stringify(value);
  });
}
