import type { StoredEvent, TrainingEvent } from '../contracts/events.js';
import type { ExperimentPatch, ExperimentRecord } from '../contracts/experiment-record.js';
import type { Store } from '../store/store.js';
import { applyEvent } from './apply-event.js';
import type { EventBus } from './event-bus.js';
import { type Logger, SILENT_LOGGER } from './logger.js';

/** Stores events together with their changes, and publishes them once committed, so that no published event is rolled back. */
export interface EventLog {
  /**
   * @param patch changes that are not part of the event, stored with it
   * @returns the experiment after the event; undefined if it was deleted
   */
  record(experimentId: string, event: TrainingEvent, patch?: ExperimentPatch): ExperimentRecord | undefined;
}

/** Frequent events of a training. */
const FREQUENT: ReadonlySet<TrainingEvent['type']> = new Set(['step', 'sample', 'checkpoint']);

/**
 * @param logger gets a line for each event that changes what an experiment is
 * @param onStored told of every event of every experiment, before the bus
 */
export function createEventLog(
  store: Store,
  bus: EventBus,
  logger: Logger = SILENT_LOGGER,
  onStored: (event: StoredEvent) => void = () => {},
): EventLog {
  function announce(event: StoredEvent): void {
    const { experimentId, seq, type } = event;
    if (!FREQUENT.has(type)) logger.info({ experimentId, seq, type }, `experiment ${type}`);
    onStored(event);
    bus.publish(experimentId, event);
  }

  return {
    record: (experimentId, event, patch = {}) =>
      store.transaction(() => {
        const experiment = store.experiments.find(experimentId);
        if (!experiment) return undefined;
        const time = new Date().toISOString();
        applyEvent(store, experiment, event, time);
        store.experiments.update(experiment.number, patch);
        const stored = store.events.append(experiment, event, time);
        store.afterCommit(() => announce(stored));
        return store.experiments.find(experimentId);
      }),
  };
}
