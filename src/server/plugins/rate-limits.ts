import rateLimit from '@fastify/rate-limit';
import fp from 'fastify-plugin';
import { appError } from '../../errors.js';
import type { HttpApp, Uses } from '../http-app.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Requests of this kind also count against a limit of their own. */
    readonly costs?: 'inference' | 'training';
  }
}

/**
 * Limits the requests per minute of each kind for each key, or each address without one; 0 = no limit. Loaded after the plugin
 * that identifies the key.
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
