import helmet from '@fastify/helmet';
import fp from 'fastify-plugin';
import type { HttpApp } from '../http-app.js';

/** Content security policy: pages of this server may load only its own files. */
const CONTENT_SOURCES = {
  defaultSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  styleSrc: ["'self'", "'unsafe-inline'"],
  connectSrc: ["'self'"],
  upgradeInsecureRequests: null, // served over plain HTTP
};

/** Security headers; loaded before the plugins that refuse requests, so that refusals have them too. */
export default fp(setSecurityHeaders, { name: 'security-headers' });

async function setSecurityHeaders(app: HttpApp): Promise<void> {
  await app.register(helmet, { contentSecurityPolicy: { directives: CONTENT_SOURCES }, hsts: false });
}
