import { Redis } from 'ioredis';

/**
 * A connection that waits while Redis is unreachable and resends pending commands. Duplicates are recognized by
 * their number.
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
