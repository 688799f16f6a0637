import { appError } from '../errors.js';
import type { HttpApp } from './http-app.js';

/** What the bytes of a text are read as: UTF-8, or UTF-16 by its mark. ASCII is UTF-8. */
const CHARSETS = /^(utf-?8|us-ascii|utf-?16([lb]e)?)$/i;

/** Takes bodies of the type text/plain as streams. @throws unsupported-media-type for another charset than it is read as */
export function acceptPlainText(app: HttpApp): void {
  app.addContentTypeParser('text/plain', (request, payload, done) => {
    const type = request.headers['content-type'] ?? '';
    const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(type)?.[1];
    if (charset === undefined || CHARSETS.test(charset)) done(null, payload);
    else done(appError('unsupported-media-type', { type, advice: '; send the text in UTF-8' }), undefined);
  });
}
