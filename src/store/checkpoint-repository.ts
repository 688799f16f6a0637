import type { Checkpoint } from '../contracts/metrics.js';
import type { Database } from './database.js';

export type CheckpointRecord = Omit<Checkpoint, 'available'>;

/** The table `checkpoints`, in the order of steps. */
export interface CheckpointRepository {
  add(experiment: number, checkpoint: CheckpointRecord): void;
  list(experiment: number): CheckpointRecord[];
  /** Deletes checkpoints after a step, from which the training continues. */
  rewind(experiment: number, step: number): void;
}

export function createCheckpointRepository(database: Database): CheckpointRepository {
  const add = database.prepare(
    `INSERT INTO checkpoints (experiment, step, epoch, file, bytes, digest, is_best, time)
     VALUES (@experiment, @step, @epoch, @file, @bytes, @digest, @isBest, @time)
     ON CONFLICT DO UPDATE SET file = excluded.file, bytes = excluded.bytes, digest = excluded.digest,
       is_best = max(is_best, excluded.is_best), time = excluded.time`, // a pause right after an epoch writes it again
  );
  const list = database.prepare<[number], Omit<CheckpointRecord, 'isBest'> & { isBest: number }>(
    `SELECT step, epoch, file, bytes, digest, is_best AS isBest, time FROM checkpoints
     WHERE experiment = ? ORDER BY step`,
  );
  const forget = database.prepare('DELETE FROM checkpoints WHERE experiment = ? AND step > ?');

  return {
    add: (experiment, checkpoint) =>
      void add.run({ experiment, ...checkpoint, isBest: checkpoint.isBest ? 1 : 0 }),
    list: (experiment) => list.all(experiment).map((row) => ({ ...row, isBest: row.isBest === 1 })),
    rewind: (experiment, step) => void forget.run(experiment, step),
  };
}
