import helmet from '@fastify/helmet';
import fp from 'fastify-plugin';
import type { HttpApp } from '../http-app.js';

/** What pages of this server may load: their own files alone. */
const CONTENT_SOURCES = {
  defaultSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  styleSrc: ["'self'", "'unsafe-inline'"],
  connectSrc: ["'self'"],
  upgradeInsecureRequests: null, // it is served by plain HTTP
};

/** Headers that protect a browser; on refusals too, so before what refuses. */
export default fp(setSecurityHeaders, { name: 'security-headers' });

async function setSecurityHeaders(app: HttpApp): Promise<void> {
  await app.register(helmet, { contentSecurityPolicy: { directives: CONTENT_SOURCES }, hsts: false });
}
