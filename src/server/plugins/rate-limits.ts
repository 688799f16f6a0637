import rateLimit from '@fastify/rate-limit';
import fp from 'fastify-plugin';
import { appError } from '../../errors.js';
import type { HttpApp, Uses } from '../http-app.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Which requests count together, beside all others. */
    readonly costs?: 'inference' | 'training';
  }
}

/**
 * One key, or where there is none one address, may make so many requests of each kind in a minute; 0 = any number. After the plugin
 * that finds out whose key came.
 */
export default fp(limitRates, { name: 'rate-limits', dependencies: ['access'] });

async function limitRates(app: HttpApp, { environment: settings }: Uses<'environment'>): Promise<void> {
  await app.register(rateLimit, {
    global: false,
    timeWindow: '1 minute',
    keyGenerator: ({ caller, ip }) => (caller ? `key ${caller.name}` : ip),
  });
  const limiterOf = (max: number) => (max === 0 ? null : app.createRateLimit({ max }));
  const limiters = {
    other: limiterOf(settings.rateLimit),
    inference: limiterOf(settings.inferenceRateLimit || settings.rateLimit),
    training: limiterOf(settings.trainingRateLimit || settings.rateLimit),
  };
  app.addHook('onRequest', async (request) => {
    const result = await limiters[request.routeOptions.config.costs ?? 'other']?.(request);
    if (!result || result.isAllowed || !result.isExceeded) return;
    throw appError('rate-limited', { limit: result.max, window: 'a minute', seconds: result.ttlInSeconds });
  });
}
