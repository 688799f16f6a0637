import fp from 'fastify-plugin';
import { appError } from '../../errors.js';
import type { HttpApp } from '../http-app.js';

/**
 * Refuses queries with invalid percent-encoding, which would otherwise be passed on undecoded, and requests to several hosts,
 * of which a proxy may have checked another one (RFC 9112, section 3.2).
 */
export default fp(refuseBrokenQueries, { name: 'addresses', dependencies: ['access'] });

async function refuseBrokenQueries(app: HttpApp): Promise<void> {
  app.addHook('onRequest', async ({ url, raw }) => {
    const hosts = raw.rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
    if (hosts.length > 1)
      throw appError('bad-request', { reason: 'The request has more than one Host header' });
    const start = url.indexOf('?');
    if (start < 0 || !url.includes('%', start)) return;
    for (const pair of url.slice(start + 1).split('&')) {
      try {
        decodeURIComponent(pair);
      } catch (error) {
        const reason = `The query has "${pair.slice(0, 60)}", which is not UTF-8 in percent-encoding; write % itself as %25`;
        throw appError('bad-request', { reason }, error);
      }
    }
  });
}
