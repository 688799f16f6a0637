import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { AppError, appError } from '../errors.js';

/**
 * Reads multipart/form-data as a stream.
 * @param files names of the known files
 * @param take called with each file and its name on the client; must read the file to its end
 * @returns the fields
 * @throws bad-request for an unknown file or a broken form, and what `take` throws
 */
export async function receiveForm<File extends string>(
  request: FastifyRequest,
  files: readonly File[],
  take: (file: File, bytes: Readable, fileName: string) => Promise<void>,
): Promise<Record<string, unknown>> {
  const departure = watchDisconnect(request.raw);
  try {
    const parts = request.parts();
    const fields: Record<string, unknown> = {};
    for (;;) {
      const { done, value: part } = await departure.orThrow(parts.next());
      if (done) break;
      checkPart(part, fields);
      if (part.type === 'field') {
        fields[part.fieldname] = part.value;
        continue;
      }
      const file = files.find((known) => known === part.fieldname);
      if (file === undefined) throw unknownFile(part.fieldname, files);
      await take(file, departure.endWith(part.file), part.filename);
    }
    return fields;
  } catch (error) {
    if (departure.hasGone) throw appError('cancelled', {}, error);
    throw isParserError(error)
      ? appError('bad-request', { reason: `The form is not valid: ${(error as Error).message}` }, error)
      : error;
  } finally {
    departure.stop();
  }
}

/** Without this, the form parser would wait forever for the body of a disconnected client: Node ends such a request without an error. */
function watchDisconnect(request: IncomingMessage) {
  let leave: (error: unknown) => void = () => {};
  const left = new Promise<never>((_resolve, reject) => {
    leave = reject;
  });
  left.catch(() => {}); // may have no listener
  const open = new Set<Readable>();
  let hasGone = false;
  const onClose = () => {
    if (request.readableEnded) return; // not `complete`: a connection that is reset drops what had come and was not read
    hasGone = true;
    const error = appError('cancelled');
    leave(error);
    for (const file of open) file.destroy(error);
  };
  request.once('close', onClose);
  if (request.destroyed) onClose();
  return {
    get hasGone() {
      return hasGone;
    },
    orThrow: <Value>(waited: Promise<Value>): Promise<Value> => Promise.race([waited, left]),
    endWith(file: Readable): Readable {
      open.add(file);
      file.once('close', () => open.delete(file));
      if (hasGone) file.destroy(appError('cancelled')); // it left after the file began and before it was read
      return file;
    },
    stop: () => void request.off('close', onClose),
  };
}

/** @throws bad-request for what the parser takes and nobody could mean */
function checkPart(
  { fieldname, encoding, type }: Multipart,
  fields: Readonly<Record<string, unknown>>,
): void {
  const refuse = (reason: string) => appError('bad-request', { reason: `The form is not valid: ${reason}` });
  // A part without a name has none, whatever the type says.
  if ((fieldname as string | undefined) === undefined) throw refuse('a part has no name');
  const name = fieldname.slice(0, 60);
  if (type === 'field' && Object.hasOwn(fields, fieldname))
    throw refuse(`the field "${name}" was sent twice`);
  if (ENCODED.has(encoding.toLowerCase()))
    throw refuse(
      `"${name}" has Content-Transfer-Encoding ${encoding}; send its bytes as they are (RFC 7578)`,
    );
}

/** Encodings of mail, which nobody decodes in a form. */
const ENCODED: ReadonlySet<string> = new Set(['base64', 'quoted-printable']);

function unknownFile(name: string, known: readonly string[]) {
  const reason = `Unknown file "${name.slice(0, 60)}"; known: ${known.join(', ')}`;
  return appError('bad-request', { reason });
}

/** The form parser throws plain or fastify errors; disk errors have a system error code. */
function isParserError(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return !(error instanceof AppError) && (code === undefined || code.startsWith('FST_'));
}
