import type { FastifyBaseLogger } from 'fastify';
import { findSweep } from '../../experiments/sweeps/find-sweep.js';
import { sweepHistory } from '../../experiments/sweeps/sweep-history.js';
import { viewSweep } from '../../experiments/sweeps/view-sweep.js';
import type { Uses } from '../http-app.js';

/** A sweep as {@link followRun} follows it. */
export function sweepRun(services: Uses<'store' | 'sweepLog'>, sweepId: string, log: FastifyBaseLogger) {
  return {
    history: sweepHistory(services, sweepId),
    snapshot() {
      const sweep = viewSweep(services.store, findSweep(services.store, sweepId));
      return { sweep, seq: sweep.seq };
    },
    log: log.child({ sweepId }),
  };
}
