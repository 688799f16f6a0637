/** Step: the TypeScript build, into dist/. Nothing is to do while no source, and no package, has changed. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { lastLines, runCommand } from './command.mjs';
import { SetupError } from './failure.mjs';
import { filesBelow, hashFiles, hashOf } from './stamps.mjs';

const NAME = 'typescript';
/** As in tsconfig.json's include. */
const SOURCE_FOLDERS = ['src', 'workers', 'scripts', 'test', 'bench', 'examples', 'web/logic'];
const OUTPUT_ENDINGS = /\.(js|js\.map|d\.ts|d\.ts\.map)$/;
const SHOWN_LINES = 60;

/** @type {import('./set-up.mjs').Step} */
export const typescriptStep = { name: NAME, isDone, run };

/** Whether dist/ is the outcome of the sources as they are, without a type error. */
export function isBuilt({ settings, stamps }) {
  return isDone({ settings, stamps });
}

function isDone({ settings, stamps }) {
  const stamp = stamps.read(NAME);
  if (!stamp) return false;
  const sources = sourceFiles(settings.root);
  return stamp.key === keyOf(settings, sources) && outputsAreThere(settings.root, sources);
}

async function run({ settings, report, stamps }) {
  const { root } = settings;
  const sources = sourceFiles(root);
  const key = keyOf(settings, sources);
  const task = report.begin(NAME, `tsc, ${sources.length} files`);
  removeOrphans(root);
  // What tsc remembers would make it leave out files that it has written once.
  if (!outputsAreThere(root, sources)) rmSync(join(root, 'dist', 'tsconfig.tsbuildinfo'), { force: true });
  try {
    await runCommand({
      name: 'tsc',
      program: process.execPath,
      args: [join(settings.modules, 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json'],
      logsDir: settings.logsDir,
      cwd: root,
      env: settings.env,
    });
  } catch (error) {
    task.gaveUp('type errors');
    const all = error.logFile ? readFileSync(error.logFile, 'utf8').split('\n').slice(1).join('\n') : '';
    const shown = all.split('\n').slice(0, SHOWN_LINES).join('\n');
    throw new SetupError('the TypeScript sources do not compile', {
      output: shown.trim() ? shown.trimEnd() : lastLines(error.message),
      logFile: error.logFile,
      advice: ['correct what the compiler names; npm run build shows it alone'],
      cause: error,
    });
  }
  stamps.write(NAME, { key });
  task.done('no type error');
}

/**
 * Removes what tsc once wrote into dist/ for sources that are gone: tests among it would still run.
 * @returns {string[]} the removed files
 */
export function removeOrphans(root) {
  const dist = join(root, 'dist');
  const orphans = SOURCE_FOLDERS.flatMap((folder) =>
    filesBelow(join(dist, folder), (path) => OUTPUT_ENDINGS.test(path)),
  ).filter((path) => !existsSync(join(root, relative(dist, path).replace(OUTPUT_ENDINGS, '.ts'))));
  for (const path of orphans) rmSync(path, { force: true });
  return orphans;
}

function outputsAreThere(root, sources) {
  return sources.every((path) =>
    existsSync(join(root, 'dist', relative(root, path).replace(/\.ts$/, '.js'))),
  );
}

function sourceFiles(root) {
  return SOURCE_FOLDERS.flatMap((folder) =>
    filesBelow(join(root, folder), (path) => path.endsWith('.ts') && !path.endsWith('.d.ts'), [
      'node_modules',
    ]),
  );
}

function keyOf({ root }, sources) {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  return hashOf(hashFiles(root, [join(root, 'tsconfig.json'), ...sources]), lock);
}
