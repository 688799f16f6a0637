/** The packages of package-lock.json, without running their scripts: native parts are the later steps' work. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../command.mjs';
import { SetupError } from '../failure.mjs';
import { bytesOf, megabytes } from '../report.mjs';
import { hashOf, readJson } from '../stamps.mjs';

/** @type {import('../set-up.mjs').Step} */
export const dependenciesStep = {
  name: 'dependencies',

  applies: ({ settings }) => existsSync(join(settings.root, 'package-lock.json')),

  key({ settings }) {
    const { dependencies, devDependencies, overrides } = readJson(join(settings.root, 'package.json')) ?? {};
    const lock = readFileSync(join(settings.root, 'package-lock.json'), 'utf8');
    return hashOf(lock, JSON.stringify([dependencies, devDependencies, overrides]));
  },

  isThere: ({ settings }) => existsSync(hiddenLock(settings)),

  async run({ settings, report }) {
    const lock = readJson(join(settings.root, 'package-lock.json'));
    if (lock && isInstalled(lock, settings)) {
      report.line('✓ dependencies: the packages of the lock file are in node_modules already');
      return;
    }
    const count = Object.keys(lock?.packages ?? {}).length - 1;
    await report.task('dependencies', `npm ci, ${count} packages, about 500 MB on disk`, async () => {
      await npmCi(settings);
      return megabytes(bytesOf(settings.modules));
    });
  },
};

async function npmCi(settings) {
  const { npm_execpath: npm = '' } = settings.env;
  const runsUs = /npm-cli\.c?js$/.test(npm);
  const options = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await runCommand({
    ...settings,
    name: 'npm-ci',
    program: runsUs ? process.execPath : process.platform === 'win32' ? 'npm.cmd' : 'npm',
    args: runsUs ? [npm, ...options] : options,
    cwd: settings.root,
  }).catch((error) => {
    throw new SetupError('npm could not install the dependencies', {
      tried: [`npm ci: ${error.message}`],
      output: error.output,
      logFile: error.logFile,
      advice: [
        'check that npm reaches a registry: npm ping',
        'behind a proxy or with a mirror: npm config set proxy … / registry …',
        'then run the same command again: it goes on where it stopped',
      ],
      cause: error,
    });
  });
}

/** Whether node_modules holds what the lock file names, by npm's own list: somebody may have run npm by hand. */
function isInstalled(lock, settings) {
  const installed = readJson(hiddenLock(settings))?.packages;
  if (!installed) return false;
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

function hiddenLock(settings) {
  return join(settings.modules, '.package-lock.json');
}
