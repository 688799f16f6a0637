import { type CheckpointRepository, createCheckpointRepository } from './checkpoint-repository.js';
import { openDatabase } from './database.js';
import { createEventRepository, type EventRepository } from './event-repository.js';
import { createExperimentPager, type ExperimentPage, type ExperimentPageQuery } from './experiment-page.js';
import { createExperimentRepository, type ExperimentRepository } from './experiment-repository.js';
import { createIdempotencyRepository, type IdempotencyRepository } from './idempotency-repository.js';
import { createMetricRepository, type MetricRepository } from './metric-repository.js';
import { describeSqliteError } from './sqlite-error.js';

/** Everything that is kept in SQLite. Calls are synchronous: what has returned is stored. */
export interface Store {
  readonly experiments: ExperimentRepository;
  readonly events: EventRepository;
  readonly metrics: MetricRepository;
  readonly checkpoints: CheckpointRepository;
  readonly idempotency: IdempotencyRepository;
  page(query: ExperimentPageQuery): ExperimentPage;
  /**
   * All of `body` is stored, or nothing.
   * @throws out-of-disk, database-unusable
   */
  transaction<Result>(body: () => Result): Result;
  /** @throws database-unusable when it does not answer */
  check(): void;
  close(): void;
}

/** @throws database-newer, database-unusable */
export function openStore(file: string): Store {
  const database = openDatabase(file);
  const ping = database.prepare('SELECT 1');
  return {
    experiments: createExperimentRepository(database),
    events: createEventRepository(database),
    metrics: createMetricRepository(database),
    checkpoints: createCheckpointRepository(database),
    idempotency: createIdempotencyRepository(database),
    page: createExperimentPager(database),
    transaction(body) {
      try {
        return database.transaction(body).immediate();
      } catch (error) {
        throw describeSqliteError(error, file);
      }
    },
    check: () => void ping.get(),
    close: () => void database.close(),
  };
}
