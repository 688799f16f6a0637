import type { IncomingMessage } from 'node:http';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { appError } from '../../errors.js';
import type { HttpApp, Uses } from '../http-app.js';

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
type Encoding = keyof typeof DECODERS;

/**
 * Decompresses request bodies. The decompressed size is limited like that of every other body, and by the upload limit
 * for routes that read bodies of any length. Compressed forms are not supported.
 */
export default async function readContentEncodings(
  app: HttpApp,
  { environment }: Uses<'environment'>,
): Promise<void> {
  app.addHook('preParsing', async (request, _reply, payload) => {
    const encoding = request.headers['content-encoding']?.trim().toLowerCase() || 'identity';
    if (encoding === 'identity') return payload;
    if (!isKnown(encoding))
      throw appError('unsupported-encoding', {
        encoding: encoding.slice(0, 60),
        advice: 'use gzip, deflate or br',
      });
    if (/^multipart\//i.test(request.headers['content-type'] ?? ''))
      throw appError('unsupported-encoding', { encoding, advice: 'send forms uncompressed' });
    return unpack(payload, encoding, environment.maxUploadBytes);
  });
}

function isKnown(encoding: string): encoding is Encoding {
  return Object.hasOwn(DECODERS, encoding);
}

/** fastify compares {@link receivedEncodedLength} with the Content-Length. */
function unpack(
  payload: Readable,
  encoding: Encoding,
  maxBytes: number,
): Transform & { receivedEncodedLength: number } {
  const unpacked = Object.assign(new BoundedBytes(maxBytes), { receivedEncodedLength: 0 });
  unpacked.on('error', () => {}); // whoever reads it is told; nobody does where the request was refused before its body
  const decoder = DECODERS[encoding]();
  payload.on('data', (chunk: Buffer) => {
    unpacked.receivedEncodedLength += chunk.length;
  });
  payload.on('error', (error) => unpacked.destroy(error));
  (payload as IncomingMessage).on('aborted', () => unpacked.destroy(appError('cancelled')));
  decoder.on('error', ({ message }) =>
    unpacked.destroy(appError('bad-request', { reason: `The body is not valid ${encoding}: ${message}` })),
  );
  unpacked.on('close', () => {
    payload.unpipe(decoder);
    decoder.destroy();
  });
  payload.pipe(decoder).pipe(unpacked);
  return unpacked;
}

/** Passes bytes through up to a limit. */
class BoundedBytes extends Transform {
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limit) done(appError('body-too-large', { limit: this.#limit }));
    else done(null, chunk);
  }
}
