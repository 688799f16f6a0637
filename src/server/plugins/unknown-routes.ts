import fp from 'fastify-plugin';
import { appError } from '../../errors.js';
import type { HttpApp } from '../http-app.js';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Answers requests without a route: 405 with the allowed methods if the path exists, else 404. */
export default fp(refuseUnknownRoutes, { name: 'unknown-routes' });

async function refuseUnknownRoutes(app: HttpApp): Promise<void> {
  const paths = new Map<string, KnownPath>();
  app.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return; // the route of CORS preflights
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

/** Hints for requests of OpenAI's clients that these models do not support. */
function hintFor(path: string): string {
  if (/^\/v1\/(chat\/completions|responses|assistants|threads|messages)\b/.test(path))
    return ': these models complete text and do not chat; use POST /v1/completions (completions.create) with a prompt';
  if (/^\/(chat\/)?completions\b/.test(path))
    return '; use POST /v1/completions: the base URL of a client ends with /v1';
  if (/^\/v1\/embeddings\b/.test(path))
    return ': these models do not provide embeddings; POST /score?inspect=true returns hidden values';
  return '';
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
