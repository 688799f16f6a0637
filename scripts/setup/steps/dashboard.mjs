/** The dashboard in web/, built by Vite into dist/dashboard. The server runs without it, so this step does not fail. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { runNpm } from '../command.mjs';
import { bytesOf, megabytes } from '../report.mjs';
import { filesBelow, hashFiles } from '../stamps.mjs';

/** @type {import('./step.mjs').Step} */
export const dashboardStep = {
  name: 'dashboard',

  applies: ({ settings }) => existsSync(join(settings.root, 'web', 'index.html')),

  key({ settings: { root } }) {
    const files = new Set(filesBelow(join(root, 'web')));
    for (const file of files) for (const imported of importsOf(file)) files.add(imported);
    return hashFiles(root, [...files, join(root, 'package.json'), join(root, 'package-lock.json')]);
  },

  isThere: ({ settings }) => existsSync(join(outputDir(settings), 'index.html')),

  async run({ settings, report }) {
    rmSync(outputDir(settings), { recursive: true, force: true }); // none rather than an old one
    await report.task('dashboard', 'building web/ with Vite, a few seconds', async () => {
      await runNpm(settings, 'dashboard-build', ['run', 'build:web']);
      return megabytes(bytesOf(outputDir(settings)));
    });
  },

  failure: () => 'the dashboard could not be built',

  advice: ({ command }) => [`correct what it names, then ${command} --retry`],

  instead: () => 'not built, the server runs without it',
};

/** TypeScript files of src that a file names, so that a change of these builds the dashboard again. */
function importsOf(file) {
  if (!/\.tsx?$/.test(file)) return [];
  const names = [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)\.js'/g)];
  return names.map(([, name]) => `${resolve(dirname(file), name)}.ts`).filter(existsSync);
}

function outputDir(settings) {
  return join(settings.root, 'dist', 'dashboard');
}
