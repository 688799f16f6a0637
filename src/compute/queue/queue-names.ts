/**
 * Names in Redis. A run has a stream of its events and a list of requests; BullMQ keeps its job and the lock that
 * its trainer renews.
 */
import type { Lease } from '../training-executor.js';

export const QUEUE = 'gatelm-training';
export const TRAINER_PREFIX = 'gatelm:trainer:';
/** A trainer without a report for longer counts as gone. */
export const TRAINER_TTL_MS = 15_000;
/** A run whose lock was not renewed for longer is lost. */
export const LOCK_MS = 15_000;
/** Time after which the keys of a finished run expire. */
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
