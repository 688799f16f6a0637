import type { MetricPoint } from '../contracts/metrics.js';
import type { Database } from './database.js';

/** The position in a training at which a metric was measured. */
export interface MetricMoment {
  readonly step: number;
  readonly epoch: number;
  /** Milliseconds since 1970, UTC. */
  readonly time: number;
}

export type MetricValues = Readonly<Record<string, number | null>>;

/** The tables `metric_points` and `latest_metrics`: series by key, and the latest value of each. */
export interface MetricRepository {
  addPoints(experiment: number, moment: MetricMoment, values: MetricValues): void;
  setLatest(experiment: number, values: MetricValues): void;
  /** Latest values of several experiments, in one query. */
  latest(experiments: readonly number[]): ReadonlyMap<number, MetricValues>;
  keys(experiment: number): string[];
  /** Points of one series with a higher step, at most `limit`. */
  points(experiment: number, key: string, afterStep: number, limit: number): MetricPoint[];
  count(experiment: number, key: string): number;
  /** Deletes points after a step, from which the training continues. */
  rewind(experiment: number, step: number): void;
  /** Lowest value of a series, with its epoch. */
  lowest(experiment: number, key: string): { epoch: number; value: number } | undefined;
}

export function createMetricRepository(database: Database): MetricRepository {
  const addKey = database.prepare('INSERT INTO metric_keys (name) VALUES (?) ON CONFLICT (name) DO NOTHING');
  const findKey = database.prepare<[string], number>('SELECT id FROM metric_keys WHERE name = ?').pluck();
  const addPoint = database.prepare(
    `INSERT INTO metric_points (experiment, key, step, epoch, time, value) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET epoch = excluded.epoch, time = excluded.time, value = excluded.value`,
  );
  const setLatest = database.prepare(
    `INSERT INTO latest_metrics (experiment, key, value) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value`,
  );
  const latest = database.prepare<[string], { experiment: number; name: string; value: number | null }>(
    `SELECT m.experiment, k.name, m.value FROM latest_metrics AS m JOIN metric_keys AS k ON k.id = m.key
     WHERE m.experiment IN (SELECT value FROM json_each(?))`,
  );
  // One index seek per known key instead of a scan of all points.
  const keys = database
    .prepare<[number], string>(
      `SELECT name FROM metric_keys AS k WHERE EXISTS
       (SELECT 1 FROM metric_points WHERE experiment = ? AND key = k.id) ORDER BY k.id`,
    )
    .pluck();
  const points = database.prepare<
    [number, number, number, number],
    Omit<MetricPoint, 'time'> & { time: number }
  >(
    `SELECT step, epoch, time, value FROM metric_points
     WHERE experiment = ? AND key = ? AND step > ? ORDER BY step LIMIT ?`,
  );
  const count = database
    .prepare<[number, number], number>('SELECT count(*) FROM metric_points WHERE experiment = ? AND key = ?')
    .pluck();
  const forget = database.prepare('DELETE FROM metric_points WHERE experiment = ? AND step > ?');
  const lowest = database.prepare<[number, number], { epoch: number; value: number }>(
    `SELECT epoch, value FROM metric_points WHERE experiment = ? AND key = ? AND value IS NOT NULL
     ORDER BY value, step LIMIT 1`,
  );

  /** Not kept in memory: a transaction that is rolled back takes its new keys with it. */
  function keyId(name: string): number {
    const known = findKey.get(name);
    if (known !== undefined) return known;
    addKey.run(name);
    return findKey.get(name)!;
  }

  return {
    addPoints(experiment, { step, epoch, time }, values) {
      for (const [name, value] of Object.entries(values))
        addPoint.run(experiment, keyId(name), step, epoch, time, value);
    },
    setLatest(experiment, values) {
      for (const [name, value] of Object.entries(values)) setLatest.run(experiment, keyId(name), value);
    },
    latest(experiments) {
      const byExperiment = new Map<number, Record<string, number | null>>();
      for (const { experiment, name, value } of latest.all(JSON.stringify(experiments))) {
        const values = byExperiment.get(experiment) ?? {};
        values[name] = value;
        byExperiment.set(experiment, values);
      }
      return byExperiment;
    },
    keys: (experiment) => keys.all(experiment),
    points(experiment, key, afterStep, limit) {
      const id = findKey.get(key);
      if (id === undefined) return [];
      return points
        .all(experiment, id, afterStep, limit)
        .map((point) => ({ ...point, time: new Date(point.time).toISOString() }));
    },
    count(experiment, key) {
      const id = findKey.get(key);
      return id === undefined ? 0 : count.get(experiment, id)!;
    },
    rewind: (experiment, step) => void forget.run(experiment, step),
    lowest(experiment, key) {
      const id = findKey.get(key);
      return id === undefined ? undefined : lowest.get(experiment, id);
    },
  };
}
