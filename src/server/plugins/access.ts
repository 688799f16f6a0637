import type { FastifyReply, FastifyRequest } from 'fastify';
import { includesScope, type Scope } from '../../contracts/access.js';
import { type Environment, isLoopback } from '../../contracts/environment.js';
import { appError } from '../../errors.js';
import type { Caller, KeyRing } from '../../experiments/api-keys.js';
import type { HttpApp } from '../http-app.js';
import type { Tickets } from '../tickets.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller's key has to allow; left out: read to look, train to change. */
    readonly scope?: Scope;
    /** A ticket in the address may stand for a key. */
    readonly takesTicket?: boolean;
    /** Needs no key: the files of the dashboard. */
    readonly isPublic?: boolean;
  }
  interface FastifyRequest {
    /** Whose key came with it; null = none was needed. */
    caller: Caller | null;
  }
}

/** Paths that need no key: probes, and the description of the interface. */
const OPEN_PATHS = /^\/(healthz|readyz|openapi\.json|docs(\/.*)?)$/;
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

type AccessSettings = Pick<Environment, 'allowedOrigins' | 'host'>;

/**
 * Decides who may call. With API keys: who sends one whose scope allows it. Without: whoever can reach loopback, but not the
 * pages of other sites in a browser on this machine, which reach it too: by their Origin (sockets, posts), or by a name
 * of theirs that they let point here (DNS rebinding), which the Host header shows.
 */
export function controlAccess(app: HttpApp, settings: AccessSettings, keys: KeyRing, tickets: Tickets): void {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => {
    // Where others can reach it, a key is needed even when the last one was revoked.
    const needsKey = keys.hasAny || !isLoopback(settings.host);
    if (!needsKey) assertOwnHost(request, settings);
    assertOrigin(request, reply, settings);
    if (request.method === 'OPTIONS' && reply.hasHeader('access-control-allow-origin')) {
      await answerPreflight(reply);
      return;
    }
    const path = request.url.split('?', 1)[0]!;
    if (!needsKey || request.routeOptions.config.isPublic || OPEN_PATHS.test(path)) return;
    const caller = callerOf(request, keys, tickets);
    if (!caller) throw appError('unauthorized');
    const needs = scopeOf(request.method, request.routeOptions.config);
    if (!includesScope(caller.scope, needs))
      throw appError('forbidden', { scope: needs, key: caller.name, has: caller.scope });
    request.caller = caller;
  });
}

/** What a route asks for. */
export function scopeOf(method: string, { scope }: { readonly scope?: Scope }): Scope {
  return scope ?? (SAFE_METHODS.has(method) ? 'read' : 'train');
}

function callerOf(request: FastifyRequest, keys: KeyRing, tickets: Tickets): Caller | null {
  const [, key] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  if (key !== undefined) return keys.recognize(key);
  const { ticket } = request.query as { ticket?: unknown };
  if (!request.routeOptions.config.takesTicket || typeof ticket !== 'string') return null;
  return tickets.redeem(ticket);
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
