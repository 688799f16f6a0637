/** The TypeScript build, into dist/. Nothing is to do while no source, and no package, has changed. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runCommand } from '../command.mjs';
import { filesBelow, hashFiles, hashOf } from '../stamps.mjs';

/** As in tsconfig.json's include. */
const SOURCE_FOLDERS = ['src', 'workers', 'scripts', 'test', 'bench', 'examples', 'web/logic'];
const OUTPUT_ENDINGS = /\.(js|js\.map|d\.ts|d\.ts\.map)$/;

/** @type {import('./step.mjs').Step} */
export const typescriptStep = {
  name: 'typescript',

  applies: ({ settings }) => existsSync(join(settings.root, 'tsconfig.json')),

  key({ settings: { root } }) {
    const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
    return hashOf(hashFiles(root, [join(root, 'tsconfig.json'), ...sourceFiles(root)]), lock);
  },

  // The server loads every route that it finds in dist/: also one whose source is gone.
  isThere: ({ settings }) => outputsAreThere(settings.root) && orphansOf(settings.root).length === 0,

  async run({ settings, report }) {
    const { root } = settings;
    removeOrphans(root);
    // What tsc remembers would make it leave out files that it has written once.
    if (!outputsAreThere(root)) rmSync(join(root, 'dist', 'tsconfig.tsbuildinfo'), { force: true });
    await report.task('typescript', `tsc, ${sourceFiles(root).length} files`, async () => {
      const args = [join(settings.packageDir('typescript'), 'bin', 'tsc'), '-p', 'tsconfig.json'];
      await runCommand({ ...settings, name: 'tsc', program: process.execPath, args, cwd: root });
      return 'no type error';
    });
  },

  failure: () => 'the TypeScript sources do not compile',

  advice: () => ['correct what the compiler names; npm run build shows it alone'],
};

/** Removes what tsc once wrote into dist/ for sources that are gone: tests among it would still run. */
export function removeOrphans(root) {
  for (const path of orphansOf(root)) rmSync(path, { force: true });
}

function orphansOf(root) {
  const dist = join(root, 'dist');
  const isOrphan = (path) =>
    OUTPUT_ENDINGS.test(path) && !existsSync(join(root, relative(dist, path).replace(OUTPUT_ENDINGS, '.ts')));
  return SOURCE_FOLDERS.flatMap((folder) => filesBelow(join(dist, folder), isOrphan));
}

function outputsAreThere(root) {
  return sourceFiles(root).every((path) =>
    existsSync(join(root, 'dist', relative(root, path).replace(/\.ts$/, '.js'))),
  );
}

function sourceFiles(root) {
  const isSource = (path) => path.endsWith('.ts') && !path.endsWith('.d.ts');
  return SOURCE_FOLDERS.flatMap((folder) => filesBelow(join(root, folder), isSource, ['node_modules']));
}
