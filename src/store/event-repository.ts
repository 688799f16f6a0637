import { type EventType, StoredEvent, type TrainingEvent } from '../contracts/events.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type { Database } from './database.js';

type ExperimentKey = Pick<ExperimentRecord, 'number' | 'id'>;

/** The table `events`: all events, numbered without gaps within an experiment. */
export interface EventRepository {
  /** Stores the event under the next number. Call it in the transaction that applies the event. */
  append(experiment: ExperimentKey, event: TrainingEvent, time: string): StoredEvent;
  /** Events with a higher number, at most `limit`, optionally of given types only. */
  after(experiment: ExperimentKey, seq: number, limit: number, types?: readonly EventType[]): StoredEvent[];
}

export function createEventRepository(database: Database): EventRepository {
  const number = database
    .prepare<[number], number>('UPDATE experiments SET seq = seq + 1 WHERE number = ? RETURNING seq')
    .pluck();
  const insert = database.prepare(
    'INSERT INTO events (experiment, seq, time, type, data) VALUES (?, ?, ?, ?, ?)',
  );
  interface Row {
    readonly seq: number;
    readonly time: string;
    readonly type: string;
    readonly data: string;
  }
  const after = database.prepare<[number, number, number], Row>(
    'SELECT seq, time, type, data FROM events WHERE experiment = ? AND seq > ? ORDER BY seq LIMIT ?',
  );
  const afterOfTypes = database.prepare<[number, number, string, number], Row>(
    `SELECT seq, time, type, data FROM events WHERE experiment = ? AND seq > ?
     AND type IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?`,
  );

  return {
    append(experiment, event, time) {
      const seq = number.get(experiment.number)!;
      insert.run(experiment.number, seq, time, event.type, JSON.stringify(event.data));
      return { experimentId: experiment.id, seq, time, ...event };
    },
    after(experiment, seq, limit, types) {
      const rows = types
        ? afterOfTypes.all(experiment.number, seq, JSON.stringify(types), limit)
        : after.all(experiment.number, seq, limit);
      return rows.map(({ data, ...row }) =>
        StoredEvent.parse({ experimentId: experiment.id, ...row, data: JSON.parse(data) }),
      );
    },
  };
}
