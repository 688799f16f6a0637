/**
 * The packages of package-lock.json, without running their scripts: native parts are the later steps' work. Where gatelm
 * is itself an installed package npm has left tfjs-node out if its script failed: then all packages are installed again,
 * without scripts, in gatelm's own folder.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeFailure, SetupError } from '../failure.mjs';
import { runNpm } from '../npm.mjs';
import { bytesOf, megabytes } from '../report.mjs';
import { hashOf, readJson } from '../stamps.mjs';

/** @type {import('./is-done.mjs').Step} */
export const dependenciesStep = {
  name: 'dependencies',

  applies: ({ settings }) => hasLock(settings) || settings.backend !== 'wasm',

  key({ settings }) {
    const manifest = readJson(join(settings.root, 'package.json')) ?? {};
    const { version, dependencies, optionalDependencies, devDependencies, overrides } = manifest;
    const wanted = [version, dependencies, optionalDependencies, devDependencies, overrides];
    return hashOf(hasLock(settings) ? readFileSync(lockFile(settings), 'utf8') : '', JSON.stringify(wanted));
  },

  isThere: ({ settings }, stamp) =>
    stamp.unavailable || (hasTfjsNode(settings) && (!hasLock(settings) || existsSync(hiddenLock(settings)))),

  async run({ settings, report }) {
    const lock = readJson(lockFile(settings));
    if (lock ? isInstalled(lock, settings) : hasTfjsNode(settings)) {
      report.line('✓ dependencies: the packages are in node_modules already');
      return;
    }
    if (!lock) return installTfjsNode(settings, report);
    const what = `npm ci, ${Object.keys(lock.packages).length - 1} packages of the lock file, about 500 MB on disk`;
    await report.task('dependencies', what, () => install(settings, ['ci']));
  },
};

/** gatelm runs without it, slower: no failure. */
async function installTfjsNode(settings, report) {
  const command = ['install', '--prefix', '.', '--omit=dev', '--no-package-lock'];
  try {
    const what = 'npm install for tfjs-node, which npm has left out, about 400 MB on disk';
    await report.task('dependencies', what, () => install(settings, command));
  } catch (error) {
    report.warn('dependencies', describeFailure(error));
    return { unavailable: true };
  }
}

async function install(settings, command) {
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await runNpm(settings, `npm-${command[0]}`, [...command, ...options]).catch((error) => {
    throw new SetupError('npm could not install the dependencies', {
      tried: [`npm ${command[0]}: ${error.message}`],
      output: error.output,
      logFile: error.logFile,
      advice: [
        'check that npm reaches a registry: npm ping',
        'behind a proxy or with a mirror: npm config set proxy … / registry …',
        'then run the same command again: it continues where it stopped',
      ],
      cause: error,
    });
  });
  return megabytes(bytesOf(settings.modules));
}

/** Whether node_modules holds what the lock file names, by npm's own list: somebody may have run npm by hand. */
function isInstalled(lock, settings) {
  const installed = readJson(hiddenLock(settings))?.packages;
  if (!installed || !hasTfjsNode(settings)) return false;
  const isThere = ([path, wanted]) => {
    const found = installed[path];
    if (path === '' || (!found && (wanted.optional || wanted.devOptional))) return true; // another platform's
    if (found?.version !== wanted.version || found.integrity !== wanted.integrity) return false;
    return existsSync(join(settings.root, path, 'package.json'));
  };
  return (
    Object.entries(lock.packages).every(isThere) &&
    Object.keys(installed).every((path) => path in lock.packages)
  );
}

function hasTfjsNode(settings) {
  return existsSync(settings.packageDir('@tensorflow/tfjs-node'));
}

function lockFile(settings) {
  return join(settings.root, 'package-lock.json');
}

function hasLock(settings) {
  return existsSync(lockFile(settings));
}

function hiddenLock(settings) {
  return join(settings.modules, '.package-lock.json');
}
