import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { AppError, appError } from '../errors.js';

/**
 * Reads multipart/form-data as it comes.
 * @param files names of the files that are known
 * @param take is handed each file and the name that the client gave it; it reads it to its end
 * @returns the fields
 * @throws bad-request for an unknown file or a broken form, and what `take` throws
 */
export async function receiveForm<File extends string>(
  request: FastifyRequest,
  files: readonly File[],
  take: (file: File, bytes: Readable, fileName: string) => Promise<void>,
): Promise<Record<string, unknown>> {
  try {
    const fields: Record<string, unknown> = {};
    for await (const part of request.parts()) {
      if (part.type === 'field') {
        fields[part.fieldname] = part.value;
        continue;
      }
      const file = files.find((known) => known === part.fieldname);
      if (file === undefined) throw unknownFile(part.fieldname, files);
      await take(file, part.file, part.filename);
    }
    return fields;
  } catch (error) {
    throw isParsers(error)
      ? appError('bad-request', { reason: `The form is not valid: ${(error as Error).message}` }, error)
      : error;
  }
}

function unknownFile(name: string, known: readonly string[]) {
  const reason = `There is no file "${name.slice(0, 60)}"; known: ${known.join(', ')}`;
  return appError('bad-request', { reason });
}

/** The form's parser throws plain errors, or fastify's; those of the disk have a code of the system. */
function isParsers(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return !(error instanceof AppError) && (code === undefined || code.startsWith('FST_'));
}
