import type { StoredEvent, TrainingEvent } from '../contracts/events.js';
import type { ExperimentPatch, ExperimentRecord } from '../contracts/experiment-record.js';
import type { Store } from '../store/store.js';
import { applyEvent } from './apply-event.js';
import type { EventBus } from './event-bus.js';
import { type Logger, SILENT_LOGGER } from './logger.js';

/** Stores events with what they change, then publishes them: nobody hears what a crash could undo. */
export interface EventLog {
  /**
   * @param patch changes that nobody can see in the event, stored with it
   * @returns the experiment after the event; undefined when it is gone
   */
  record(experimentId: string, event: TrainingEvent, patch?: ExperimentPatch): ExperimentRecord | undefined;
}

/** Events that come again and again while it trains. */
const FREQUENT: ReadonlySet<TrainingEvent['type']> = new Set(['step', 'evaluation', 'sample', 'checkpoint']);

/** @param logger gets a line for each event that changes what an experiment is */
export function createEventLog(store: Store, bus: EventBus, logger: Logger = SILENT_LOGGER): EventLog {
  return {
    record(experimentId, event, patch = {}) {
      let stored: StoredEvent | undefined;
      const after = store.transaction(() => {
        const experiment = store.experiments.find(experimentId);
        if (!experiment) return undefined;
        const time = new Date().toISOString();
        applyEvent(store, experiment, event, time);
        store.experiments.update(experiment.number, patch);
        stored = store.events.append(experiment, event, time);
        return store.experiments.find(experimentId);
      });
      if (stored) {
        const { type, seq } = stored as StoredEvent;
        if (!FREQUENT.has(type)) logger.info({ experimentId, seq, type }, `experiment ${type}`);
        bus.publish(stored);
      }
      return after;
    },
  };
}
