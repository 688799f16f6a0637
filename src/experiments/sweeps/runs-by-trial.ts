import type { RunRecord } from '../../contracts/sweep-record.js';
import type { Store } from '../../store/store.js';

/** The experiments of each trial of a sweep, in the order of their seeds. */
export function runsByTrial(store: Store, sweep: number): ReadonlyMap<number, RunRecord[]> {
  const byTrial = new Map<number, RunRecord[]>();
  for (const run of store.sweeps.runs(sweep)) {
    const runs = byTrial.get(run.trial);
    if (runs) runs.push(run);
    else byTrial.set(run.trial, [run]);
  }
  return byTrial;
}
