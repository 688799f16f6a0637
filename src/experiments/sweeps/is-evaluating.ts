import type { RunRecord, TrialRecord } from '../../contracts/sweep-record.js';

/** Whether an experiment has trained all epochs of its trial and has not reported its end yet: it evaluates its test text. */
export function isEvaluating({ phase, toEpoch }: TrialRecord, { outcome, curve }: RunRecord): boolean {
  return phase === 'over' && outcome === null && curve.length >= toEpoch;
}
