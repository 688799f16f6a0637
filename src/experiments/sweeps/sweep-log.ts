import type { StoredSweepEvent, SweepEvent, SweepPatch, SweepRecord } from '../../contracts/sweep-record.js';
import type { Store } from '../../store/store.js';
import { EventBus } from '../event-bus.js';
import type { Logger } from '../logger.js';

/** Stores the events of sweeps together with their changes, and publishes them once committed. */
export interface SweepLog {
  readonly bus: EventBus<StoredSweepEvent>;
  /** @returns the sweep after the event; undefined if it was deleted */
  record(sweepId: string, event: SweepEvent, patch?: SweepPatch): SweepRecord | undefined;
}

export function createSweepLog(store: Store, logger: Logger): SweepLog {
  const bus = new EventBus<StoredSweepEvent>((error) =>
    logger.error({ err: error }, 'a sweep listener failed'),
  );
  return {
    bus,
    record: (sweepId, event, patch = {}) =>
      store.transaction(() => {
        const sweep = store.sweeps.find(sweepId);
        if (!sweep) return undefined;
        store.sweeps.update(sweep.number, patch);
        const stored = store.sweeps.appendEvent(sweep, event, new Date().toISOString());
        store.afterCommit(() => {
          logger.info({ sweepId, seq: stored.seq, type: stored.type }, `sweep ${stored.type}`);
          bus.publish(sweepId, stored);
        });
        return store.sweeps.find(sweepId);
      }),
  };
}
