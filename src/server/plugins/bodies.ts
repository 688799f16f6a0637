import { appError } from '../../errors.js';
import type { HttpApp } from '../http-app.js';

/**
 * JSON only, unless a route says otherwise. An empty body is none: clients often send the header with every POST.
 * Names of the prototype chain come through as plain keys, which the schemas refuse by name.
 */
export function acceptBodies(app: HttpApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') {
      done(null, undefined);
      return;
    }
    try {
      done(null, JSON.parse(body as string));
    } catch (error) {
      const reason = `The body is not valid JSON: ${(error as Error).message}`;
      done(appError('bad-request', { reason }), undefined);
    }
  });
}
