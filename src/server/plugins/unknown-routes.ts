import fp from 'fastify-plugin';
import { appError } from '../../errors.js';
import type { HttpApp } from '../http-app.js';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Answers requests for no route: 405 with the methods that the path has, else 404. */
export default fp(refuseUnknownRoutes, { name: 'unknown-routes' });

async function refuseUnknownRoutes(app: HttpApp): Promise<void> {
  const paths = new Map<string, KnownPath>();
  app.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return; // where preflights of browsers arrive
    const path = paths.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const name of [method].flat()) path.methods.add(name);
    paths.set(url, path);
  });
  app.setNotFoundHandler((request, reply) => {
    const { method, url } = request;
    const path = url.split('?', 1)[0]!.slice(0, 200);
    const known = [...paths.values()].filter(({ pattern }) => pattern.test(path));
    if (known.length === 0) throw appError('route-not-found', { method, path, hint: hintFor(path) });
    const allowed = [...new Set(known.flatMap(({ methods }) => [...methods]))].sort().join(', ');
    reply.header('allow', allowed);
    throw appError('method-not-allowed', { method, path, allowed });
  });
}

/** What OpenAI's clients ask for, and a model without chat does not have. */
function hintFor(path: string): string {
  if (/^\/v1\/(chat\/completions|responses|assistants|threads|messages)\b/.test(path))
    return ': these models go on with a text and have no chat; use POST /v1/completions (completions.create) with a prompt';
  if (/^\/(chat\/)?completions\b/.test(path))
    return '; use POST /v1/completions: the base URL of a client ends with /v1';
  if (/^\/v1\/embeddings\b/.test(path))
    return ': these models give no embeddings; POST /score?inspect=true shows hidden values';
  return '';
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
