import type { ExperimentRecord } from '../contracts/experiment-record.js';
import { appError } from '../errors.js';
import type { Store } from '../store/store.js';

/** @throws experiment-not-found */
export function findExperiment(store: Store, id: string): ExperimentRecord {
  const experiment = store.experiments.find(id);
  if (!experiment) throw appError('experiment-not-found', { experiment: id });
  return experiment;
}

/**
 * An experiment by its id, or the latest one of that name.
 * @throws experiment-not-found
 */
export function findByIdOrName(store: Store, idOrName: string): ExperimentRecord {
  const experiment = store.experiments.find(idOrName) ?? store.experiments.findByName(idOrName);
  if (!experiment) throw appError('experiment-not-found', { experiment: idOrName });
  return experiment;
}
