import { Redis } from 'ioredis';

/**
 * A connection that waits for a Redis that is away, and sends again what was under way. What is sent twice is told apart by
 * its number.
 */
export function connectRedis(address: string, onError: (error: Error) => void): Redis {
  const redis = new Redis(address, {
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: true,
    retryStrategy: (tries) => Math.min(100 * tries, 2_000),
  });
  redis.on('error', onError);
  return redis;
}
