/**
 * The packages of package-lock.json, without running their scripts: native parts are the later steps' work. Where gatelm
 * is itself an installed package npm has left tfjs-node out if its script failed: then all packages are installed again,
 * without scripts, in gatelm's own folder.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runNpm } from '../command.mjs';
import { bytesOf, megabytes } from '../report.mjs';
import { hashOf, readJson } from '../stamps.mjs';

/** @type {import('./step.mjs').Step} */
export const dependenciesStep = {
  name: 'dependencies',

  applies: ({ settings }) => lockOf(settings) !== undefined || settings.backend !== 'wasm',

  key({ settings }) {
    const { version, dependencies, optionalDependencies, devDependencies, overrides } =
      readJson(join(settings.root, 'package.json')) ?? {};
    const wanted = [version, dependencies, optionalDependencies, devDependencies, overrides];
    return hashOf(JSON.stringify(lockOf(settings) ?? null), JSON.stringify(wanted));
  },

  isThere: ({ settings }) => hasTfjsNode(settings) && (!lockOf(settings) || existsSync(hiddenLock(settings))),

  async run({ settings, report }) {
    const lock = lockOf(settings);
    if (hasTfjsNode(settings) && (!lock || isInstalled(lock, settings)))
      return report.line('✓ dependencies: the packages are in node_modules already');
    const [what, ...command] = lock
      ? [`npm ci, ${Object.keys(lock.packages).length - 1} packages, about 500 MB on disk`, 'ci']
      : [
          'npm install for tfjs-node, which npm has left out, about 400 MB on disk',
          ...['install', '--prefix', '.', '--omit=dev', '--no-package-lock'],
        ];
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await report.task('dependencies', what, async () => {
      await runNpm(settings, `npm-${command[0]}`, [...command, ...options]);
      return megabytes(bytesOf(settings.modules));
    });
  },

  failure: () => 'npm could not install the dependencies',

  advice: ({ command }) => [
    'check that npm reaches a registry: npm ping',
    'behind a proxy or with a mirror: npm config set proxy … / registry …',
    `then: ${command} --retry, which continues where it stopped`,
  ],

  instead: (settings) =>
    !lockOf(settings) && 'npm could not install tfjs-node, gatelm runs without it, slower',
};

/** Whether node_modules holds what the lock file names, by npm's own list: somebody may have run npm by hand. */
function isInstalled(lock, settings) {
  const installed = readJson(hiddenLock(settings))?.packages ?? {};
  return Object.entries(lock.packages).every(([path, { integrity, optional, devOptional }]) => {
    if (path === '' || (!installed[path] && (optional || devOptional))) return true; // another platform's
    return installed[path]?.integrity === integrity && existsSync(join(settings.root, path, 'package.json'));
  });
}

function hasTfjsNode(settings) {
  return existsSync(settings.packageDir('@tensorflow/tfjs-node'));
}

/** package-lock.json; a package that is installed has none. */
function lockOf(settings) {
  return readJson(join(settings.root, 'package-lock.json'));
}

function hiddenLock(settings) {
  return join(settings.modules, '.package-lock.json');
}
