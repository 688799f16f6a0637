import rateLimit from '@fastify/rate-limit';
import type { Environment } from '../../contracts/environment.js';
import { appError } from '../../errors.js';
import type { HttpApp } from '../http-app.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Which requests count together, beside all others. */
    readonly costs?: 'inference' | 'training';
  }
}

type RateSettings = Pick<Environment, 'rateLimit' | 'inferenceRateLimit' | 'trainingRateLimit'>;

/**
 * One key, or where there is none one address, may make so many requests of each kind in a minute; 0 = any number. To be called
 * after what finds out whose key came.
 */
export async function limitRate(app: HttpApp, settings: RateSettings): Promise<void> {
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
