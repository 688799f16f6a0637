import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Sqlite from 'better-sqlite3';
import { appError } from '../errors.js';

type Database = Sqlite.Database;

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/**
 * Applies the pending migrations, each in a separate transaction.
 * @throws database-newer when a newer version of gatelm has written the database
 */
export function migrate(database: Database, migrations: readonly Migration[] = readMigrations()): void {
  assertNotNewer(database, migrations);
  const actual = versionOf(database);
  for (const { version, sql } of migrations) {
    if (version <= actual) continue;
    database
      .transaction(() => {
        if (versionOf(database) >= version) return; // another process has applied it
        database.exec(sql);
        database.pragma(`user_version = ${version}`);
      })
      .immediate();
  }
}

/** Changes nothing. @throws database-newer when a newer version of gatelm has written the database */
export function assertNotNewer(
  database: Database,
  migrations: readonly Migration[] = readMigrations(),
): void {
  const known = migrations.at(-1)?.version ?? 0;
  const actual = versionOf(database);
  if (actual > known) throw appError('database-newer', { actual, known });
}

/** Version of a database: the number of its last applied migration. */
export function versionOf(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}

/** The files `NNN_name.sql` of the package, in order. */
export function readMigrations(folder: string = migrationsFolder()): Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{3}_[a-z0-9_-]+\.sql$/.test(file))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 3)),
      name: file,
      sql: readFileSync(join(folder, file), 'utf8'),
    }));
}

/** `migrations/` beside package.json: this file runs from `dist/src/store`. */
function migrationsFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw appError('database-unusable', { file: 'migrations', reason: 'not found' });
    folder = parent;
  }
  return join(folder, 'migrations');
}
