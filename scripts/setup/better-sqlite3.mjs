/** Step: better-sqlite3's native part. The server cannot do without it: where it cannot be had, set-up fails. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { binaryName, dropBinary, keepBinary, restoreBinary } from './binary-cache.mjs';
import { runCommand } from './command.mjs';
import { reasonOf, SetupError } from './failure.mjs';
import { checkLoads } from './load-check.mjs';
import { fileBytes, megabytes } from './report.mjs';
import { readJson } from './stamps.mjs';
import { buildEnvironment, buildToolsAdvice, missingBuildTools, runNodeGyp } from './toolchain.mjs';

const NAME = 'better-sqlite3';
const DOWNLOAD_SECONDS = 120;
const LOAD = `
  const Database = require('better-sqlite3');
  const row = new Database(':memory:').prepare('select sqlite_version() as version').get();
  process.stdout.write(row.version);`;

/** @type {import('./set-up.mjs').Step} */
export const betterSqlite3Step = { name: NAME, isDone, run };

function isDone({ settings, stamps }) {
  return stamps.read(NAME)?.key === cachedName(settings) && fileBytes(binaryOf(settings)) > 0;
}

async function run(context) {
  const { settings, report, stamps } = context;
  const key = cachedName(settings);
  const found = (await loadInPlace(settings)) ?? (await fromCache(context, key));
  if (found) report.line(`✓ ${NAME}: ${found}`);
  else await obtain(context, key);
  stamps.write(NAME, { key });
}

async function loadInPlace(settings) {
  if (fileBytes(binaryOf(settings)) === 0) return undefined;
  const version = await checkLoads(LOAD, settings.root).catch(() => undefined);
  return version && `its binary is there already and loads (SQLite ${version})`;
}

async function fromCache({ settings, report }, key) {
  if (!restoreBinary(settings.cacheDir, key, binaryOf(settings))) return undefined;
  try {
    return `copied from ${settings.cacheDir}, loads (SQLite ${await checkLoads(LOAD, settings.root)})`;
  } catch (error) {
    report.warn(NAME, `the cached binary is of no use here: ${reasonOf(error)}`);
    dropBinary(settings.cacheDir, key);
    return undefined;
  }
}

async function obtain({ settings, report }, key) {
  const tried = [];
  let last;
  for (const [what, make] of [
    ['downloading its prebuilt binary, about 2 MB', downloadPrebuilt],
    ['building it from source, 10 MB of C, about a minute', buildFromSource],
  ]) {
    const task = report.begin(NAME, what);
    try {
      await make(settings);
      const version = await checkLoads(LOAD, settings.root);
      task.done(`${megabytes(fileBytes(binaryOf(settings)))}, loads (SQLite ${version})`);
      keepBinary(settings.cacheDir, key, binaryOf(settings), report);
      return;
    } catch (error) {
      task.gaveUp(`no: ${reasonOf(error)}`);
      tried.push(`${what}: ${reasonOf(error)}`);
      last = error;
    }
  }
  throw new SetupError('better-sqlite3, the database, could not be had', {
    tried,
    output: last.output,
    logFile: last.logFile,
    advice: [
      buildToolsAdvice(),
      'or let this machine reach the package’s downloads (npm_config_better_sqlite3_binary_host names a mirror)',
      'then run the same command again',
    ],
    cause: last,
  });
}

async function downloadPrebuilt(settings) {
  const folder = packageDir(settings);
  rmSync(join(folder, 'build'), { recursive: true, force: true });
  try {
    await runCommand({
      name: 'better-sqlite3-prebuilt',
      program: process.execPath,
      args: [join(settings.modules, 'prebuild-install', 'bin.js')],
      logsDir: settings.logsDir,
      cwd: folder,
      env: { ...buildEnvironment(settings), npm_config_loglevel: 'info' }, // else it keeps its reasons to itself
      limitSeconds: DOWNLOAD_SECONDS,
    });
  } catch (error) {
    const cause = /(?:warn|ERR!) install (.*)/.exec(error.output ?? '')?.[1];
    if (cause) error.message = cause;
    throw error;
  }
}

async function buildFromSource(settings) {
  const missing = missingBuildTools(settings.env);
  if (missing.length > 0) throw new Error(`${missing.join(', ')} not found`);
  await runNodeGyp(settings, {
    name: 'better-sqlite3-build',
    args: ['rebuild', '--release'],
    cwd: packageDir(settings),
  });
}

function packageDir(settings) {
  return join(settings.modules, 'better-sqlite3');
}

function binaryOf(settings) {
  return join(packageDir(settings), 'build', 'Release', 'better_sqlite3.node');
}

function cachedName(settings) {
  const version = readJson(join(packageDir(settings), 'package.json'))?.version;
  return binaryName(NAME, version, `abi${process.versions.modules}`);
}
