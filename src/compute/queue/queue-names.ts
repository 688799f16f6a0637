/**
 * Names in Redis. A run has a stream of what it says and a list of what it is asked; BullMQ keeps its job, and the lock that
 * its trainer renews.
 */
import type { Lease } from '../training-executor.js';

export const QUEUE = 'gatelm-training';
export const TRAINER_PREFIX = 'gatelm:trainer:';
/** A trainer that has not reported for longer is gone. */
export const TRAINER_TTL_MS = 15_000;
/** A run whose trainer has not renewed its lock for longer is lost. */
export const LOCK_MS = 15_000;
/** Streams and requests of runs that nobody asks about any more. */
export const RUN_TTL_SECONDS = 7 * 24 * 3600;

/** One lease, one job: an attempt is delivered once. */
export function jobIdOf({ experimentId, attempt }: Lease): string {
  return `${experimentId}.${attempt}`;
}

export function streamOf(lease: Lease): string {
  return `gatelm:run:${jobIdOf(lease)}`;
}

export function requestsOf(lease: Lease): string {
  return `gatelm:requests:${jobIdOf(lease)}`;
}
