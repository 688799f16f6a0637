import { AppError, appError } from '../errors.js';

/** What the library throws for an answer of the store; without a status, there was no answer. */
interface S3Failure {
  readonly name: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const CORRUPT = new Set(['BadDigest', 'XAmzContentSHA256Mismatch']);

/** Whether an object does not exist; where its bucket does not, only HEAD cannot tell. */
export function isAbsent(error: unknown): boolean {
  const { name } = error as S3Failure;
  return name === 'NotFound' || name === 'NoSuchKey';
}

/**
 * Returns if another attempt may succeed. The answers of the store are not repeated as they are: some contain parts of the request.
 * @throws artifact-corrupt, storage-refused
 */
export function throwIfRefused(error: unknown, key: string, store: string): void {
  if (error instanceof AppError) throw error;
  const { name, $metadata } = error as S3Failure;
  const status = $metadata?.httpStatusCode;
  if (status === undefined || status >= 500 || status === 408 || status === 429) return;
  if (name === 'RequestTimeout') return;
  if (CORRUPT.has(name))
    throw appError('artifact-corrupt', { key, reason: 'other bytes arrived than were sent' }, error);
  if (status === 412)
    throw appError('artifact-corrupt', { key, reason: 'it was replaced during the download' }, error);
  throw appError('storage-refused', { store, key, reason: `${name} (HTTP ${status})` }, error);
}
