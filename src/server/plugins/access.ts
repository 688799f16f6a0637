import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Environment, isLoopback } from '../../contracts/environment.js';
import { appError } from '../../errors.js';
import type { HttpApp } from '../http-app.js';

/** Paths that need no key: probes, and the description of the interface. */
const OPEN_PATHS = /^\/(healthz|readyz|openapi\.json|docs(\/.*)?)$/;
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

type AccessSettings = Pick<Environment, 'apiKeys' | 'allowedOrigins' | 'host'>;

/**
 * Decides who may call. With API keys: who sends one. Without: whoever can reach loopback, but not the pages of other
 * sites in a browser on this machine, which reach it too: by their Origin (sockets, posts), or by a name of theirs that
 * they let point here (DNS rebinding), which the Host header shows.
 */
export function controlAccess(app: HttpApp, settings: AccessSettings): void {
  const keys = settings.apiKeys.map(digestOf);
  app.addHook('onRequest', async (request, reply) => {
    if (keys.length === 0) assertOwnHost(request, settings);
    assertOrigin(request, reply, settings);
    if (request.method === 'OPTIONS' && reply.hasHeader('access-control-allow-origin')) {
      await answerPreflight(reply);
      return;
    }
    const path = request.url.split('?', 1)[0]!;
    if (keys.length > 0 && !OPEN_PATHS.test(path) && !hasKey(request, keys)) throw appError('unauthorized');
  });
}

/** Digests have one length, so that comparing takes the same time whatever was sent. */
function hasKey({ headers }: FastifyRequest, keys: readonly Buffer[]): boolean {
  const [, sent] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
  if (sent === undefined) return false;
  const digest = digestOf(sent);
  return keys.map((key) => timingSafeEqual(key, digest)).includes(true);
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function assertOwnHost({ headers }: FastifyRequest, { host }: AccessSettings): void {
  const name = hostName(headers.host ?? '');
  if (name !== '' && !isLoopback(name) && name !== host)
    throw appError('foreign-host', { host: name.slice(0, 100) });
}

function assertOrigin(
  { method, headers, ws }: FastifyRequest,
  reply: FastifyReply,
  { allowedOrigins }: AccessSettings,
): void {
  const { origin } = headers;
  if (origin === undefined) return;
  if (allowedOrigins.includes(origin)) {
    reply.header('access-control-allow-origin', origin).header('vary', 'origin');
    return;
  }
  if (SAFE_METHODS.has(method) && !ws) return; // the browser keeps the answer from the page
  if (!isSameOrigin(origin, headers.host)) throw appError('cross-origin', { origin: origin.slice(0, 100) });
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}

function hostName(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}

async function answerPreflight(reply: FastifyReply): Promise<void> {
  await reply
    .code(204)
    .header('access-control-allow-methods', 'GET, POST, PATCH, DELETE')
    .header('access-control-allow-headers', 'authorization, content-type, idempotency-key, last-event-id')
    .send();
}
