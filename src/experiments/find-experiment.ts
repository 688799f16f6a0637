import type { ExperimentRecord } from '../contracts/experiment-record.js';
import { appError } from '../errors.js';
import type { Store } from '../store/store.js';

/** @throws experiment-not-found */
export function findExperiment(store: Store, id: string): ExperimentRecord {
  const experiment = store.experiments.find(id);
  if (!experiment) throw appError('experiment-not-found', { experiment: id });
  return experiment;
}
