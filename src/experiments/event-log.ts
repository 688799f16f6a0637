import type { StoredEvent, TrainingEvent } from '../contracts/events.js';
import type { ExperimentPatch, ExperimentRecord } from '../contracts/experiment-record.js';
import type { Store } from '../store/store.js';
import { applyEvent } from './apply-event.js';
import type { EventBus } from './event-bus.js';

/** Stores events with what they change, then publishes them: nobody hears what a crash could undo. */
export interface EventLog {
  /**
   * @param patch changes that nobody can see in the event, stored with it
   * @returns the experiment after the event; undefined when it is gone
   */
  record(experimentId: string, event: TrainingEvent, patch?: ExperimentPatch): ExperimentRecord | undefined;
}

export function createEventLog(store: Store, bus: EventBus): EventLog {
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
      if (stored) bus.publish(stored);
      return after;
    },
  };
}
