import {
  RunRecord,
  StoredSweepEvent,
  type SweepEvent,
  type SweepPatch,
  SweepRecord,
  type SweepState,
  TrialRecord,
} from '../contracts/sweep-record.js';
import type { Database } from './database.js';
import { toColumn } from './experiment-columns.js';

/** The tables of sweeps: `sweeps`, `sweep_trials`, `sweep_runs` and `sweep_events`. */
export interface SweepRepository {
  insert(
    sweep: Pick<SweepRecord, 'id' | 'name' | 'input' | 'trialLimits' | 'state' | 'createdAt'>,
  ): SweepRecord;
  find(id: string): SweepRecord | undefined;
  /** The latest sweep of that name. */
  findByName(name: string): SweepRecord | undefined;
  update(number: number, patch: SweepPatch): void;
  delete(number: number): void;
  withState(state: SweepState): SweepRecord[];
  /** Newest first, with lower numbers than `before`. */
  page(limit: number, before: number | null): SweepRecord[];
  trials(sweep: number): TrialRecord[];
  addTrial(sweep: number, trial: TrialRecord): void;
  updateTrial(sweep: number, trial: Pick<TrialRecord, 'trial' | 'phase' | 'toEpoch'>): void;
  /** In order of trials and repetitions. */
  runs(sweep: number): RunRecord[];
  addRun(sweep: number, run: Pick<RunRecord, 'trial' | 'repetition' | 'experimentId'>): void;
  updateRun(experimentId: string, patch: Partial<Pick<RunRecord, 'curve' | 'outcome' | 'rests'>>): void;
  appendEvent(sweep: SweepRecord, event: SweepEvent, time: string): StoredSweepEvent;
  /** Events after a number, oldest first. */
  eventsAfter(sweep: SweepRecord, since: number, limit: number): StoredSweepEvent[];
}

const SWEEP_COLUMNS = columnsOf(SweepRecord);
const TRIAL_COLUMNS = columnsOf(TrialRecord);
const RUN_COLUMNS = columnsOf(RunRecord);

export function createSweepRepository(database: Database): SweepRepository {
  const insert = database.prepare(
    `INSERT INTO sweeps (id, name, input, trial_limits, state, created_at)
     VALUES (@id, @name, @input, @trialLimits, @state, @createdAt)`,
  );
  const byId = database.prepare(`SELECT ${SWEEP_COLUMNS} FROM sweeps WHERE id = ?`);
  const byName = database.prepare(
    `SELECT ${SWEEP_COLUMNS} FROM sweeps WHERE name = ? ORDER BY number DESC LIMIT 1`,
  );
  const byState = database.prepare(`SELECT ${SWEEP_COLUMNS} FROM sweeps WHERE state = ? ORDER BY number`);
  const page = database.prepare(
    `SELECT ${SWEEP_COLUMNS} FROM sweeps WHERE @before IS NULL OR number < @before
     ORDER BY number DESC LIMIT @limit`,
  );
  const remove = database.prepare('DELETE FROM sweeps WHERE number = ?');
  const trials = database.prepare(`SELECT ${TRIAL_COLUMNS} FROM sweep_trials WHERE sweep = ? ORDER BY trial`);
  const addTrial = database.prepare(
    `INSERT INTO sweep_trials (sweep, trial, point, phase, to_epoch, error)
     VALUES (@sweep, @trial, @point, @phase, @toEpoch, @error)`,
  );
  const updateTrial = database.prepare(
    'UPDATE sweep_trials SET phase = @phase, to_epoch = @toEpoch WHERE sweep = @sweep AND trial = @trial',
  );
  const runs = database.prepare(
    `SELECT ${RUN_COLUMNS} FROM sweep_runs WHERE sweep = ? ORDER BY trial, repetition`,
  );
  const addRun = database.prepare(
    `INSERT INTO sweep_runs (sweep, trial, repetition, experiment_id)
     VALUES (@sweep, @trial, @repetition, @experimentId)`,
  );
  const addEvent = database.prepare(
    'INSERT INTO sweep_events (sweep, seq, time, type, data) VALUES (?, ?, ?, ?, ?)',
  );
  const setSeq = database.prepare('UPDATE sweeps SET seq = ? WHERE number = ?');
  const events = database.prepare<[number, number, number], { data: string }>(
    'SELECT seq, time, type, data FROM sweep_events WHERE sweep = ? AND seq > ? ORDER BY seq LIMIT ?',
  );
  const readSweep = (row: unknown) => (row === undefined ? undefined : SweepRecord.parse(row));

  return {
    insert(sweep) {
      insert.run(toColumns(sweep));
      return SweepRecord.parse(byId.get(sweep.id));
    },
    find: (id) => readSweep(byId.get(id)),
    findByName: (name) => readSweep(byName.get(name)),
    update(number, patch) {
      const assignments = assignmentsOf(patch);
      if (assignments)
        database
          .prepare(`UPDATE sweeps SET ${assignments} WHERE number = @number`)
          .run(toColumns({ ...patch, number }));
    },
    delete: (number) => void remove.run(number),
    withState: (state) => byState.all(state).map((row) => SweepRecord.parse(row)),
    page: (limit, before) => page.all({ before, limit }).map((row) => SweepRecord.parse(row)),
    trials: (sweep) => trials.all(sweep).map((row) => TrialRecord.parse(row)),
    addTrial: (sweep, trial) => void addTrial.run(toColumns({ ...trial, sweep })),
    updateTrial: (sweep, { trial, phase, toEpoch }) => void updateTrial.run({ sweep, trial, phase, toEpoch }),
    runs: (sweep) => runs.all(sweep).map((row) => RunRecord.parse(row)),
    addRun: (sweep, run) => void addRun.run({ ...run, sweep }),
    updateRun(experimentId, patch) {
      const assignments = assignmentsOf(patch);
      if (assignments)
        database
          .prepare(`UPDATE sweep_runs SET ${assignments} WHERE experiment_id = @experimentId`)
          .run(toColumns({ ...patch, experimentId }));
    },
    appendEvent({ number, id }, { type, data }, time) {
      const seq = (readSweep(byId.get(id))?.seq ?? 0) + 1;
      addEvent.run(number, seq, time, type, JSON.stringify(data));
      setSeq.run(seq, number);
      return { sweepId: id, seq, time, type, data };
    },
    eventsAfter: ({ number, id }, since, limit) =>
      events
        .all(number, since, limit)
        .map((row) => StoredSweepEvent.parse({ ...row, sweepId: id, data: JSON.parse(row.data) })),
  };
}

/** `SELECT` list whose column names are the fields of the record. */
function columnsOf({ shape }: { readonly shape: object }): string {
  return Object.keys(shape)
    .map((field) => `${snakeCase(field)} AS "${field}"`)
    .join(', ');
}

function assignmentsOf(patch: object): string {
  return Object.keys(patch)
    .map((field) => `${snakeCase(field)} = @${field}`)
    .join(', ');
}

function toColumns(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([field, value]) => [field, toColumn(value)]));
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
