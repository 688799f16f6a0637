import type { HttpApp } from '../http-app.js';

/**
 * JSON only, unless a route says otherwise. An empty body is none: clients often send the header with every POST.
 * Keys that would reach a prototype are refused before anything is made of them.
 */
export function acceptBodies(app: HttpApp): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, body as string, done);
  });
}
