import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { lockDataFolder } from '../../src/store/data-lock.js';
import { openDatabase } from '../../src/store/database.js';
import { migrate, readMigrations, versionOf } from '../../src/store/migrate.js';
import { openStore } from '../../src/store/store.js';
import { temporaryFolder } from '../support/service.js';
import { insertExperiment } from '../support/store.js';

test('a new database gets every migration, and an old one only those that it lacks', (t) => {
  const file = join(temporaryFolder(t), 'a.sqlite');
  const known = readMigrations();
  const database = openDatabase(file);
  assert.equal(versionOf(database), known.at(-1)!.version);
  const version = known.length + 1;
  const more = [...known, { version, name: 'more', sql: 'CREATE TABLE more (x)' }];
  migrate(database, more);
  migrate(database, more); // a second CREATE would fail
  assert.equal(versionOf(database), version);
  database.close();
});

test('migrations are numbered 1, 2, 3 …, each once', () => {
  assert.deepEqual(
    readMigrations().map(({ version }) => version),
    readMigrations().map((_, index) => index + 1),
  );
});

test('a migration that fails changes nothing', (t) => {
  const database = openDatabase(join(temporaryFolder(t), 'a.sqlite'));
  const before = versionOf(database);
  const broken = { version: before + 1, name: 'broken', sql: 'CREATE TABLE half (x); SELECT nonsense' };
  assert.throws(() => migrate(database, [...readMigrations(), broken]));
  assert.equal(versionOf(database), before);
  assert.equal(database.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'half'").pluck().get(), 0);
  database.close();
});

test('a database of a newer gatelm is refused by name', (t) => {
  const file = join(temporaryFolder(t), 'a.sqlite');
  openStore(file).close();
  const raw = new Sqlite(file);
  raw.pragma('user_version = 999');
  raw.close();
  assert.throws(() => openStore(file), {
    code: 'database-newer',
    details: { actual: 999, known: readMigrations().length },
  });
});

test('a file that is no database is refused with its name', (t) => {
  const file = join(temporaryFolder(t), 'a.sqlite');
  writeFileSync(file, 'this is not a database, whatever its name says'.repeat(100));
  assert.throws(() => openStore(file), { code: 'database-unusable' });
});

test('what was stored is there after closing and opening again', (t) => {
  const file = join(temporaryFolder(t), 'a.sqlite');
  const store = openStore(file);
  const { id, number } = insertExperiment(store, { tags: ['a', 'b'], preset: 'rnnlm' });
  store.experiments.update(number, {
    run: { backend: 'native', kernels: 'fused', threads: 2 },
    resume: true,
  });
  store.close();
  const again = openStore(file);
  const found = again.experiments.find(id);
  assert.deepEqual(found?.tags, ['a', 'b']);
  assert.equal(found?.config.preset, 'rnnlm');
  assert.deepEqual(found?.run, { backend: 'native', kernels: 'fused', threads: 2 });
  assert.equal(found?.resume, true);
  again.close();
});

test('a data folder belongs to one server at a time', (t) => {
  const folder = temporaryFolder(t);
  const release = lockDataFolder(folder);
  assert.throws(() => lockDataFolder(folder, 0), { code: 'database-unusable' });
  release();
  lockDataFolder(folder)();
});
