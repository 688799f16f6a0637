/** better-sqlite3's native part. The server cannot run without it: where it cannot be had, set-up fails. */
import { join } from 'node:path';
import { buildSqlite, buildToolsAdvice } from '../build.mjs';
import { provide } from '../cache.mjs';
import { downloadSqlite } from '../fetch.mjs';
import { probeSqlite } from '../probe.mjs';
import { bytesOf } from '../report.mjs';
import { readJson } from '../stamps.mjs';

const NAME = 'better-sqlite3';

/** @type {import('./step.mjs').Step} */
export const betterSqlite3Step = {
  name: NAME,

  key({ settings }) {
    const version = readJson(join(settings.packageDir(NAME), 'package.json'))?.version;
    return `${NAME}-${version}-abi${process.versions.modules}-${process.platform}-${process.arch}`;
  },

  isThere: ({ settings }) => bytesOf(binaryFile(settings)) > 0,

  async run(context) {
    const { settings, report } = context;
    const probe = async () => `SQLite ${await probeSqlite(settings)}`;
    const present = this.isThere(context) && (await probe().catch(() => undefined));
    if (present) return report.line(`✓ ${NAME}: its binary is there already and loads (${present})`);
    await provide(context, {
      step: NAME,
      key: `binaries/${this.key(context)}`,
      file: binaryFile(settings),
      probe,
      ways: [
        ['downloading its prebuilt binary, about 2 MB', () => downloadSqlite(settings)],
        ['building it from source, 10 MB of C, about a minute', () => buildSqlite(settings)],
      ],
    });
  },

  failure: () => 'better-sqlite3, the database, could not be installed',

  advice: () => [
    buildToolsAdvice(),
    'or let this machine reach the package’s downloads (npm_config_better_sqlite3_binary_host names a mirror)',
    'then run the same command again',
  ],
};

function binaryFile(settings) {
  return join(settings.packageDir(NAME), 'build', 'Release', 'better_sqlite3.node');
}
