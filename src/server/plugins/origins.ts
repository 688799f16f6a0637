import cors from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { type Environment, isLoopback } from '../../contracts/environment.js';
import { ANY_ORIGIN } from '../../contracts/origin.js';
import { appError } from '../../errors.js';
import type { KeyRing } from '../../experiments/api-keys.js';
import type { HttpApp, Uses } from '../http-app.js';

type Settings = Pick<Environment, 'allowedOrigins' | 'host'>;

/** Methods that change nothing; browsers hide their responses from pages of other sites. */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Response headers that pages of allowed origins may read. */
const EXPOSED_HEADERS = ['location', 'retry-after', 'idempotent-replayed', 'content-disposition'];
const PREFLIGHT_SECONDS = 600;

/**
 * Decides which web pages may call. Pages of other sites can reach a server on loopback too: with their Origin (sockets, posts), or through a
 * host name of theirs that resolves to it (DNS rebinding), which the Host header shows.
 */
export default fp(controlOrigins, {
  name: 'origins',
  // Refusals need the security headers too, and `request.ws` has to be defined.
  dependencies: ['security-headers', 'web-sockets', 'unknown-routes'],
});

async function controlOrigins(
  app: HttpApp,
  { environment: settings, keys }: Uses<'environment' | 'keys'>,
): Promise<void> {
  app.addHook('onRequest', async (request) => {
    if (!needsKey(keys, settings)) assertOwnHost(request, settings);
  });
  await app.register(cors, {
    origin: async (origin: string | undefined) => origin !== undefined && isAllowed(origin),
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false,
  });
  app.addHook('onRequest', async (request) => {
    if (request.headers.origin === undefined || isAllowed(request.headers.origin)) return;
    assertSameOrigin(request, request.headers.origin);
  });

  function isAllowed(origin: string): boolean {
    const { allowedOrigins } = settings;
    if (allowedOrigins.includes(origin)) return true;
    return allowedOrigins.includes(ANY_ORIGIN) && needsKey(keys, settings); // revoking the last key must not open the server
  }
}

/** Whether requests need a key: if there are keys, or if other machines can reach the server, even after the last key was revoked. */
export function needsKey(keys: KeyRing, { host }: Pick<Environment, 'host'>): boolean {
  return keys.hasAny || !isLoopback(host);
}

function assertOwnHost({ headers }: FastifyRequest, { host }: Settings): void {
  const name = hostName(headers.host ?? '');
  if (name !== '' && !isLoopback(name) && name !== host)
    throw appError('foreign-host', { host: name.slice(0, 100) });
}

function assertSameOrigin({ method, host, ws }: FastifyRequest, origin: string): void {
  if (SAFE_METHODS.has(method) && !ws) return;
  if (!isSameOrigin(origin, host)) throw appError('cross-origin', { origin: origin.slice(0, 100) });
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}

function hostName(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}
