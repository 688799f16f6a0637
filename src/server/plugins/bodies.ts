import { isUtf8 } from 'node:buffer';
import { appError } from '../../errors.js';
import type { HttpApp } from '../http-app.js';

/**
 * JSON only, unless a route overrides it. An empty body counts as no body: clients often send the header with every POST.
 * Keys such as __proto__ are parsed as plain keys, which the schemas refuse.
 */
export default async function acceptBodies(app: HttpApp): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    if (body.length === 0) {
      done(null, undefined);
      return;
    }
    if (!isUtf8(body as Buffer)) {
      done(appError('bad-request', { reason: 'The body is not UTF-8' }), undefined);
      return;
    }
    try {
      done(null, JSON.parse(withoutMark(body as Buffer).toString()));
    } catch (error) {
      const reason = `The body is not valid JSON: ${(error as Error).message}`;
      done(appError('bad-request', { reason }), undefined);
    }
  });
}

/** Some programs write a byte-order mark before UTF-8, which is not valid JSON. */
function withoutMark(body: Buffer): Buffer {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;
}
