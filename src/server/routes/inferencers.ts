import { InferencerQuery, MAX_INFERENCER_MESSAGE_BYTES } from '../../contracts/inferencer.js';
import { appError } from '../../errors.js';
import { packageVersion } from '../../package-version.js';
import type { HttpApp, Uses } from '../http-app.js';

/** /inferencers: the WebSocket on which machines that run inference tasks take them. */
export default async function inferencerRoutes(app: HttpApp, { executor }: Uses<'executor'>): Promise<void> {
  const version = packageVersion();
  app.route({
    method: 'GET',
    url: '/inferencers',
    config: { scope: 'inferencer', maxSocketMessageBytes: MAX_INFERENCER_MESSAGE_BYTES },
    schema: { hide: true, querystring: InferencerQuery },
    // Before the upgrade, so that a refusal is an HTTP response.
    preHandler: async ({ query }) => {
      if (query.version !== version)
        throw appError('version-mismatch', { expected: version, actual: query.version });
    },
    handler: async () => {
      throw appError('bad-request', { reason: 'This is a WebSocket; use ws:// and the Upgrade header' });
    },
    wsHandler: (socket) => (executor.admit ? executor.admit(socket) : socket.close()),
  });
}
