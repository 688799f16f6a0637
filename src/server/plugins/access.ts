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
    /** Required scope; default: read for safe methods, train for others. */
    readonly scope?: Scope;
    /** Another scope that suffices; the route limits what it may do. */
    readonly alsoFor?: Scope;
    /** Whether a ticket in the URL may replace a key. */
    readonly takesTicket?: boolean;
    /** Whether no key is needed, as for the files of the dashboard. */
    readonly isPublic?: boolean;
  }
  interface FastifyRequest {
    /** The owner of the key; null = no key was needed. */
    caller: Caller | null;
  }
}

/** Paths that need no key: probes and the API documentation. */
const OPEN_PATHS = /^\/(healthz|readyz|openapi\.json|docs(\/.*)?)$/;

/** Authorization: with API keys, a request needs a key with a sufficient scope; without keys, loopback is open. */
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
    const { config } = request.routeOptions;
    const needs = scopeOf(request.method, config);
    if (!includesScope(caller.scope, needs) && caller.scope !== config.alsoFor)
      throw appError('forbidden', { scope: needs, key: caller.name, has: caller.scope });
    request.caller = caller;
  });
}

/** The scope that a route requires. */
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
