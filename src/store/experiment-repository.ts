import { ACTIVE_STATES, type ExperimentState } from '../contracts/experiment.js';
import type { ExperimentPatch, ExperimentRecord, NewExperiment } from '../contracts/experiment-record.js';
import type { Database } from './database.js';
import { columnOf, EXPERIMENT_COLUMNS, readExperiment, toColumn } from './experiment-columns.js';

/** Fields of an experiment that is served. */
export type ServedExperiment = Pick<ExperimentRecord, 'id' | 'name' | 'createdAt'>;

/** The table `experiments`. */
export interface ExperimentRepository {
  insert(experiment: NewExperiment): ExperimentRecord;
  find(id: string): ExperimentRecord | undefined;
  /** The latest experiment of that name, preferably with weights. */
  findByName(name: string): ExperimentRecord | undefined;
  /** Experiments with weights to serve, newest first. */
  served(): ServedExperiment[];
  update(number: number, patch: ExperimentPatch): void;
  delete(number: number): void;
  /** The next queued experiment that may start: highest priority, then first in, first out. */
  nextQueued(mayStart?: (experiment: ExperimentRecord) => boolean): ExperimentRecord | undefined;
  /** The number of queued experiments that start before this one. */
  queuePosition(experiment: Pick<ExperimentRecord, 'number' | 'priority' | 'queueOrder'>): number;
  /** The number of queued experiments before each of these; those that are not queued are omitted. */
  queuePositions(experiments: readonly number[]): ReadonlyMap<number, number>;
  /** A queue order after all others. */
  lastQueueOrder(): number;
  withState(...states: ExperimentState[]): ExperimentRecord[];
  countByState(): ReadonlyMap<ExperimentState, number>;
  /** An experiment that needs the corpus: active, queued, or able to resume. */
  findUserOfCorpus(names: readonly string[]): string | undefined;
  /** Of the succeeded experiments on the corpus of the last one that succeeded: the one with the lowest validation perplexity. */
  findBestSucceeded(): ExperimentRecord | undefined;
}

export function createExperimentRepository(database: Database): ExperimentRepository {
  const select = `SELECT ${EXPERIMENT_COLUMNS} FROM experiments AS e`;
  const insert = database.prepare(
    `INSERT INTO experiments (id, name, tags, notes, priority, state, preset, corpus, config, parent_id, created_at)
     VALUES (@id, @name, @tags, @notes, @priority, @state, @preset, @corpus, @config, @parentId, @createdAt)`,
  );
  const byId = database.prepare(`${select} WHERE id = ?`);
  const byName = database.prepare(
    `${select} WHERE name = ? ORDER BY model_digest IS NULL, number DESC LIMIT 1`,
  );
  const served = database.prepare<[], ServedExperiment>(
    `SELECT id, name, created_at AS createdAt FROM experiments WHERE model_digest IS NOT NULL
     ORDER BY number DESC`,
  );
  const remove = database.prepare('DELETE FROM experiments WHERE number = ?');
  const next = database.prepare(`${select} WHERE state = 'queued' ORDER BY priority DESC, queue_order`);
  const ahead = database
    .prepare(
      `SELECT count(*) FROM experiments WHERE state = 'queued' AND number <> @number
       AND (priority > @priority OR (priority = @priority AND queue_order < @queueOrder))`,
    )
    .pluck();
  const positions = database.prepare<[string], { number: number; position: number }>(
    `SELECT number, position FROM (
       SELECT number, row_number() OVER (ORDER BY priority DESC, queue_order) - 1 AS position
       FROM experiments WHERE state = 'queued')
     WHERE number IN (SELECT value FROM json_each(?))`,
  );
  const lastOrder = database.prepare('SELECT coalesce(max(queue_order), 0) + 1 FROM experiments').pluck();
  const byStates = database.prepare(
    `${select} WHERE state IN (SELECT value FROM json_each(?)) ORDER BY number`,
  );
  const counts = database.prepare<[], { state: ExperimentState; count: number }>(
    'SELECT state, count(*) AS count FROM experiments GROUP BY state',
  );
  const corpusUser = database
    .prepare<[string, string], string>(
      `SELECT id FROM experiments WHERE corpus IN (SELECT value FROM json_each(?))
       AND state IN (SELECT value FROM json_each(?)) LIMIT 1`,
    )
    .pluck();
  const best = database.prepare(
    `${select} WHERE state = 'succeeded' AND model_digest IS NOT NULL AND corpus = (
       SELECT corpus FROM experiments WHERE state = 'succeeded' AND model_digest IS NOT NULL
       ORDER BY ended_at DESC, number DESC LIMIT 1)
     ORDER BY best_valid_bits_per_byte IS NULL, best_valid_bits_per_byte,
       best_valid_perplexity IS NULL, best_valid_perplexity, number DESC LIMIT 1`,
  );
  const read = (row: unknown) => (row === undefined ? undefined : readExperiment(row));

  return {
    insert(experiment) {
      const { preset, corpus } = experiment.config;
      const columns = Object.entries({ ...experiment, preset, corpus });
      insert.run(Object.fromEntries(columns.map(([field, value]) => [field, toColumn(value)])));
      return readExperiment(byId.get(experiment.id));
    },
    find: (id) => read(byId.get(id)),
    findByName: (name) => read(byName.get(name) ?? byName.get(name.normalize('NFC'))),
    served: () => served.all(),
    update(number, patch) {
      const entries = Object.entries(patch).filter(([, value]) => value !== undefined);
      if (entries.length === 0) return;
      const assignments = entries.map(
        ([field]) => `${columnOf(field as keyof ExperimentRecord)} = @${field}`,
      );
      database
        .prepare(`UPDATE experiments SET ${assignments.join(', ')} WHERE number = @number`)
        .run({ number, ...Object.fromEntries(entries.map(([field, value]) => [field, toColumn(value)])) });
    },
    delete: (number) => void remove.run(number),
    nextQueued(mayStart = () => true) {
      for (const row of next.iterate()) {
        const experiment = readExperiment(row);
        if (mayStart(experiment)) return experiment;
      }
      return undefined;
    },
    queuePosition: ({ number, priority, queueOrder }) => Number(ahead.get({ number, priority, queueOrder })),
    queuePositions: (experiments) =>
      new Map(positions.all(JSON.stringify(experiments)).map(({ number, position }) => [number, position])),
    lastQueueOrder: () => Number(lastOrder.get()),
    withState: (...states) => byStates.all(JSON.stringify(states)).map(readExperiment),
    countByState: () => new Map(counts.all().map(({ state, count }) => [state, count])),
    findUserOfCorpus: (names) =>
      corpusUser.get(
        JSON.stringify(names),
        JSON.stringify(['queued', 'paused', 'interrupted', ...ACTIVE_STATES]),
      ),
    findBestSucceeded: () => read(best.get()),
  };
}
