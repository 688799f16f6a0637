/** Step: the packages of package-lock.json, without running their scripts: native parts are the later steps' work. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.mjs';
import { SetupError } from './failure.mjs';
import { folderBytes, megabytes } from './report.mjs';
import { hashOf, readJson } from './stamps.mjs';

const NAME = 'dependencies';

/** @type {import('./set-up.mjs').Step} */
export const dependenciesStep = { name: NAME, isDone, run };

function isDone({ settings, stamps }) {
  return stamps.read(NAME)?.key === keyOf(settings) && existsSync(hiddenLock(settings));
}

async function run(context) {
  const { settings, report, stamps } = context;
  const lock = readJson(join(settings.root, 'package-lock.json'));
  const count = Object.keys(lock?.packages ?? {}).length - 1;
  if (lock && isInstalled(lock, settings)) {
    report.line(`✓ ${NAME}: the packages of the lock file are in node_modules already`);
  } else {
    const task = report.begin(NAME, `npm ci, ${count} packages of the lock file, about 500 MB on disk`);
    await npmCi(settings);
    task.done(megabytes(await folderBytes(settings.modules)));
  }
  stamps.write(NAME, { key: keyOf(settings) });
}

async function npmCi(settings) {
  const { program, args } = npmProgram(settings.env);
  try {
    await runCommand({
      name: 'npm-ci',
      program,
      args: [...args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      logsDir: settings.logsDir,
      cwd: settings.root,
      env: settings.env,
    });
  } catch (error) {
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
  }
}

/** The npm that runs us, else the one in the path. */
function npmProgram(env) {
  if (env.npm_execpath && /npm-cli\.c?js$/.test(env.npm_execpath)) {
    return { program: process.execPath, args: [env.npm_execpath] };
  }
  return { program: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] };
}

/**
 * Whether node_modules holds what the lock file names, by npm's own list of what it has put there: so that whoever ran
 * `npm ci` or `npm install` by hand need not wait for it again.
 */
function isInstalled(lock, settings) {
  const installed = readJson(hiddenLock(settings))?.packages;
  if (!installed) return false;
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (path === '') continue;
    const found = installed[path];
    if (!found && (wanted.optional || wanted.devOptional)) continue; // another platform's
    if (found?.version !== wanted.version || found.integrity !== wanted.integrity) return false;
    if (!existsSync(join(settings.root, path, 'package.json'))) return false;
  }
  return Object.keys(installed).every((path) => path in lock.packages);
}

function hiddenLock(settings) {
  return join(settings.modules, '.package-lock.json');
}

function keyOf(settings) {
  const { dependencies, devDependencies, overrides } = readJson(join(settings.root, 'package.json')) ?? {};
  return hashOf(
    readFileSync(join(settings.root, 'package-lock.json'), 'utf8'),
    JSON.stringify([dependencies, devDependencies, overrides]),
  );
}
