import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { BasePath } from '../../contracts/base-path.js';
import { withBasePath } from '../../experiments/links.js';
import type { HttpApp, Uses } from '../http-app.js';
import { TrustedProxies } from '../trusted-proxies.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the client has before each path of this server: '' or a path like /gatelm. */
    basePath: string;
  }
}

/**
 * Behind a proxy that serves it below a path, links and redirects begin with that path: GATELM_BASE_PATH, or what a trusted proxy
 * says in X-Forwarded-Prefix.
 */
export default fp(knowBasePath, { name: 'base-path' });

async function knowBasePath(
  app: HttpApp,
  { environment: { basePath, trustedProxies } }: Uses<'environment'>,
): Promise<void> {
  const proxies = new TrustedProxies(trustedProxies);
  app.decorateRequest('basePath', '');
  app.addHook('onRequest', async (request) => {
    request.basePath = forwardedPrefix(request, proxies) ?? basePath;
  });
  // Here and not at the start: a body that is read in between would lose it.
  app.addHook('preHandler', (request, _reply, done) => withBasePath(request.basePath, done));
  app.addHook('onSend', async ({ basePath: prefix }, reply) => {
    const location = reply.getHeader('location');
    if (prefix !== '' && typeof location === 'string' && location.startsWith('/'))
      reply.header('location', prefix + location);
  });
  if (basePath !== '')
    app.get(basePath, { config: { isPublic: true }, schema: { hide: true } }, async (_request, reply) =>
      reply.redirect('/'),
    );
}

/** @returns null where there is none, or none to be believed */
function forwardedPrefix({ headers, socket }: FastifyRequest, proxies: TrustedProxies): string | null {
  const header = headers['x-forwarded-prefix'];
  if (typeof header !== 'string' || !proxies.has(socket.remoteAddress)) return null;
  const path = header.replace(/\/$/, '');
  return path === '' || BasePath.safeParse(path).success ? path : null;
}

/** The path of a request without the base path, which some proxies leave there. */
export function withoutBasePath(url: string, basePath: string): string {
  return basePath !== '' && url.startsWith(`${basePath}/`) ? url.slice(basePath.length) : url;
}
