import type { Database } from './database.js';

/** The table `idempotency_keys`: the experiment that a request with the key created, and the digest of its body. */
export interface IdempotencyRepository {
  find(key: string): { readonly bodyDigest: string; readonly experimentId: string } | undefined;
  add(key: string, bodyDigest: string, experiment: number, createdAt: string): void;
}

export function createIdempotencyRepository(database: Database): IdempotencyRepository {
  const find = database.prepare<[string], { bodyDigest: string; experimentId: string }>(
    `SELECT k.body_digest AS bodyDigest, e.id AS experimentId
     FROM idempotency_keys AS k JOIN experiments AS e ON e.number = k.experiment WHERE key = ?`,
  );
  const add = database.prepare(
    'INSERT INTO idempotency_keys (key, body_digest, experiment, created_at) VALUES (?, ?, ?, ?)',
  );
  return {
    find: (key) => find.get(key),
    add: (key, bodyDigest, experiment, createdAt) => void add.run(key, bodyDigest, experiment, createdAt),
  };
}
