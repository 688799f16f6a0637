import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { HttpApp, Uses } from '../http-app.js';

/** The output of `npm run build:web`. */
const BUILT_FOLDER = fileURLToPath(new URL('../../../dashboard/', import.meta.url));

/** Stricter than for other pages: no inline scripts or styles, no other origins, no frames. */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const YEAR_SECONDS = 31_536_000;

/** The dashboard at `/`: a route for each built file, so that other paths keep their meaning. */
export default async function dashboardRoutes(
  app: HttpApp,
  { dashboardFolder: root = BUILT_FOLDER }: Uses<'dashboardFolder'>,
): Promise<void> {
  if (!existsSync(root)) {
    app.log.warn('the dashboard is not built; run npm run build:web');
    return;
  }
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, isPublic: true }; // the files hold no data
  });
  await app.register(fastifyStatic, {
    root,
    prefix: '/',
    wildcard: false,
    globIgnore: ['**/*.br', '**/*.gz'],
    preCompressed: true,
    decorateReply: false,
    cacheControl: false,
    setHeaders(response, path) {
      const isHashed = path.includes('/assets/');
      response.setHeader(
        'cache-control',
        isHashed ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache',
      );
      response.setHeader('content-security-policy', CONTENT_POLICY);
    },
  });
}
