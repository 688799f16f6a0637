import { ApiKey } from '../contracts/access.js';
import type { Database } from './database.js';

/** The table `api_keys`. */
export interface ApiKeyRepository {
  /** @returns false if the name is in use */
  add(key: ApiKey, digest: string): boolean;
  find(digest: string): ApiKey | undefined;
  list(): ApiKey[];
  /** Whether there is any key, valid or not. */
  hasAny(): boolean;
  /** @returns false if there is no key of that name */
  remove(name: string): boolean;
  noteUse(name: string, time: string): void;
}

const COLUMNS =
  'name, scope, prefix, created_at AS createdAt, expires_at AS expiresAt, last_used_at AS lastUsedAt';

export function createApiKeyRepository(database: Database): ApiKeyRepository {
  const add = database.prepare(
    `INSERT INTO api_keys (name, scope, digest, prefix, created_at, expires_at)
     VALUES (@name, @scope, @digest, @prefix, @createdAt, @expiresAt) ON CONFLICT (name) DO NOTHING`,
  );
  const find = database.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE digest = ?`);
  const list = database.prepare(`SELECT ${COLUMNS} FROM api_keys ORDER BY name`);
  const any = database.prepare('SELECT 1 FROM api_keys LIMIT 1');
  const remove = database.prepare('DELETE FROM api_keys WHERE name = ?');
  const noteUse = database.prepare('UPDATE api_keys SET last_used_at = ? WHERE name = ?');
  return {
    add: ({ lastUsedAt: _, ...key }, digest) => add.run({ ...key, digest }).changes === 1,
    find: (digest) => {
      const row = find.get(digest);
      return row === undefined ? undefined : ApiKey.parse(row);
    },
    list: () => list.all().map((row) => ApiKey.parse(row)),
    hasAny: () => any.get() !== undefined,
    remove: (name) => remove.run(name).changes === 1,
    noteUse: (name, time) => void noteUse.run(time, name),
  };
}
