import cors from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { type Environment, isLoopback } from '../../contracts/environment.js';
import { ANY_ORIGIN } from '../../contracts/origin.js';
import { appError } from '../../errors.js';
import type { KeyRing } from '../../experiments/api-keys.js';
import type { HttpApp, Uses } from '../http-app.js';

type Settings = Pick<Environment, 'allowedOrigins' | 'host'>;

/** Methods that change nothing: a browser keeps their answers from pages of other sites. */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a page of an allowed site may read of an answer, beyond what every page may. */
const EXPOSED_HEADERS = ['location', 'retry-after', 'idempotent-replayed', 'content-disposition'];
const PREFLIGHT_SECONDS = 600;

/**
 * Which pages in a browser may call. Those of other sites reach a server on loopback, too: by their Origin (sockets, posts), or by a
 * name of theirs that they let point here (DNS rebinding), which the Host header shows.
 */
export default fp(controlOrigins, {
  name: 'origins',
  // What is refused has the headers, too; and `request.ws` has to be known.
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
    return allowedOrigins.includes(ANY_ORIGIN) && needsKey(keys, settings); // a key that was revoked later opens nothing
  }
}

/** Where others can reach it, a key is needed even when the last one was revoked. */
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
