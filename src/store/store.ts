import { type ApiKeyRepository, createApiKeyRepository } from './api-key-repository.js';
import { type CheckpointRepository, createCheckpointRepository } from './checkpoint-repository.js';
import { createCommitQueue } from './commit-queue.js';
import { openDatabase } from './database.js';
import { createEventRepository, type EventRepository } from './event-repository.js';
import { createExperimentPager, type ExperimentPage, type ExperimentPageQuery } from './experiment-page.js';
import { createExperimentRepository, type ExperimentRepository } from './experiment-repository.js';
import { createIdempotencyRepository, type IdempotencyRepository } from './idempotency-repository.js';
import { createMetricRepository, type MetricRepository } from './metric-repository.js';
import { describeSqliteError } from './sqlite-error.js';
import { createSweepRepository, type SweepRepository } from './sweep-repository.js';

/**
 * All data in SQLite. Calls are synchronous: when a call returns, its data is stored. Each may throw out-of-disk or
 * database-unusable.
 */
export interface Store {
  readonly experiments: ExperimentRepository;
  readonly events: EventRepository;
  readonly metrics: MetricRepository;
  readonly checkpoints: CheckpointRepository;
  readonly idempotency: IdempotencyRepository;
  readonly apiKeys: ApiKeyRepository;
  readonly sweeps: SweepRepository;
  page(query: ExperimentPageQuery): ExperimentPage;
  /**
   * Runs `body` atomically.
   * @throws out-of-disk, database-unusable
   */
  transaction<Result>(body: () => Result): Result;
  /** Calls `callback` after the outermost transaction has been committed, never if it is rolled back; immediately outside of one. */
  afterCommit(callback: () => void): void;
  /** Rows that were written so far by this process, the only one that writes: as long as it stays, so does all that is read. */
  changeCount(): number;
  /** @throws database-unusable when it does not answer */
  check(): void;
  /**
   * Writes a consistent copy of the whole database while it is in use.
   * @throws out-of-disk, database-unusable
   */
  backup(file: string): Promise<void>;
  close(): void;
}

/** @throws database-newer, database-unusable */
export function openStore(file: string): Store {
  const database = openDatabase(file);
  const commits = createCommitQueue(database);
  // Reads the file, unlike SELECT 1.
  const ping = database.prepare('SELECT count(*) FROM sqlite_schema');
  const changes = database.prepare<[], number>('SELECT total_changes()').pluck();
  return {
    experiments: describingErrors(createExperimentRepository(database), file),
    events: describingErrors(createEventRepository(database), file),
    metrics: describingErrors(createMetricRepository(database), file),
    checkpoints: describingErrors(createCheckpointRepository(database), file),
    idempotency: describingErrors(createIdempotencyRepository(database), file),
    apiKeys: describingErrors(createApiKeyRepository(database), file),
    sweeps: describingErrors(createSweepRepository(database), file),
    ...describingErrors({ page: createExperimentPager(database), check: () => void ping.get() }, file),
    changeCount: () => changes.get()!,
    transaction(body) {
      try {
        return commits.transaction(body);
      } catch (error) {
        throw describeSqliteError(error, file);
      }
    },
    afterCommit: commits.afterCommit,
    backup: async (target) => {
      try {
        await database.backup(target);
      } catch (error) {
        throw describeSqliteError(error, target);
      }
    },
    close: () => void database.close(),
  };
}

/** The same functions; errors of SQLite are mapped to application errors. */
function describingErrors<Part extends object>(part: Part, file: string): Part {
  const describing = Object.entries(part).map(([name, call]) => [
    name,
    (...parameters: unknown[]) => {
      try {
        return call(...parameters);
      } catch (error) {
        throw describeSqliteError(error, file);
      }
    },
  ]);
  return Object.fromEntries(describing);
}
