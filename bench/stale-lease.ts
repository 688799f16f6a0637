/** What somebody tries who holds a lease no longer. */
import { createHash } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { streamOf } from '../src/compute/queue/queue-names.js';
import type { RunEntry } from '../src/contracts/cluster.js';
import type { Cluster, HeldLease } from './cluster.js';
import type { Follower } from './follower.js';

export interface StaleRequests {
  /** Code of the problem, or the HTTP status, that a file was answered with; null if the lease was never lost. */
  readonly answer: string | null;
}

/** Step of the event that is forged; no training comes this far. */
const FORGED_STEP = 987_654_321;
const RETRY_MS = 200;

/** Waits until another attempt of the experiment trains, then sends a file and an event for the old one. */
export async function requestWithStaleLease(
  { redis, server }: Cluster,
  follower: Follower,
  lease: HeldLease,
): Promise<StaleRequests> {
  const successor = await follower.next(
    0,
    ({ type, data }) =>
      (type === 'started' && Number(data.attempt) > lease.attempt) || ['succeeded', 'failed'].includes(type),
  );
  if (successor.type !== 'started') return { answer: null };
  await appendForgedEvent(redis.address, lease);
  const body = Buffer.from('forged');
  for (;;) {
    try {
      const response = await fetch(
        `${server.address}/artifacts/experiments/${lease.id}/model/weights.safetensors`,
        {
          method: 'PUT',
          headers: {
            'content-type': 'application/octet-stream',
            'x-artifact-sha256': createHash('sha256').update(body).digest('hex'),
            'x-gatelm-lease': `${lease.id}/${lease.attempt}`,
          },
          body,
        },
      );
      const { code } = (await response.json().catch(() => ({}))) as { code?: string };
      return { answer: code ?? String(response.status) };
    } catch {
      await after(RETRY_MS); // the server is being restarted
    }
  }
}

async function appendForgedEvent(address: string, lease: HeldLease): Promise<void> {
  const entry: RunEntry = {
    type: 'event',
    seq: FORGED_STEP,
    event: {
      type: 'step',
      data: {
        step: FORGED_STEP,
        epoch: 1,
        loss: 0,
        trainPerplexity: 1,
        learningRate: 0,
        gradNorm: 0,
        tokensPerSecond: 1,
        remainingSeconds: 0,
      },
    },
  };
  await withRedis(address, (redis) => redis.xadd(keyOf(lease), '*', 'entry', JSON.stringify(entry)));
}

export function entriesInStream({ redis }: Cluster, lease: HeldLease): Promise<number> {
  return withRedis(redis.address, (connection) => connection.xlen(keyOf(lease)));
}

function keyOf({ id, attempt }: HeldLease): string {
  return streamOf({ experimentId: id, attempt });
}

/** Waits while Redis is down. */
async function withRedis<Result>(address: string, body: (redis: Redis) => Promise<Result>): Promise<Result> {
  const redis = new Redis(address, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  try {
    return await body(redis);
  } finally {
    redis.disconnect();
  }
}
