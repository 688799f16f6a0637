import { AppError, appError } from '../errors.js';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether an error comes from the operating system: of a file, a folder, a disk. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && /^E[A-Z0-9]+$/.test(String((error as NodeJS.ErrnoException).code ?? ''));
}

/** Maps a failed write to out-of-disk or write-failed; returns an AppError unchanged. */
export function diskError(file: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const isFull = isSystemError(error) && FULL.has(error.code ?? '');
  return appError(isFull ? 'out-of-disk' : 'write-failed', { file, reason: describe(error) }, error);
}

/** The reason of an error; fetch says only "fetch failed" and puts the reason into the cause. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
