import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { includesScope, type Scope } from '../../contracts/access.js';
import { appError } from '../../errors.js';
import type { Caller, KeyRing } from '../../experiments/api-keys.js';
import type { HttpApp, Uses } from '../http-app.js';
import type { Tickets } from '../tickets.js';
import { needsKey, SAFE_METHODS } from './origins.js';

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

/** With API keys: who sends one whose scope allows it may call. Without: whoever can reach loopback. */
export default fp(controlAccess, { name: 'access', dependencies: ['origins'] });

async function controlAccess(
  app: HttpApp,
  { environment, keys, tickets }: Uses<'environment' | 'keys' | 'tickets'>,
): Promise<void> {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => {
    const path = request.url.split('?', 1)[0]!;
    if (!needsKey(keys, environment) || request.routeOptions.config.isPublic || OPEN_PATHS.test(path)) return;
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
