import { FINAL_SWEEP_EVENT_TYPES, type StoredSweepEvent } from '../../contracts/sweep-record.js';
import type { Store } from '../../store/store.js';
import type { EventHistory } from '../event-history.js';
import type { SweepLog } from './sweep-log.js';

export function sweepHistory(
  { store, sweepLog }: { readonly store: Store; readonly sweepLog: SweepLog },
  sweepId: string,
): EventHistory<StoredSweepEvent> {
  return {
    latestSeq: () => store.sweeps.find(sweepId)?.seq ?? null,
    after(seq, limit) {
      const sweep = store.sweeps.find(sweepId);
      return sweep ? store.sweeps.eventsAfter(sweep, seq, limit) : [];
    },
    subscribe: (listener) => sweepLog.bus.subscribe(sweepId, listener),
    endsStream: ({ type }) => FINAL_SWEEP_EVENT_TYPES.includes(type),
  };
}
