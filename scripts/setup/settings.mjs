/** What the command line and the environment ask of set-up, and where everything lies. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './failure.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCES = ['cache', 'wheel', 'installer'];
const BACKENDS = ['auto', 'native', 'wasm'];
const KERNELS = ['auto', 'fused', 'composed'];

export const HELP = `Makes this checkout ready to run. Where nothing is to do it returns at once.

  npm run setup [-- options]

options
  --quiet         say nothing where nothing is to do
  --retry         try again what could not be had before (libtensorflow, kernels)
  --steps=A,B     only these: dependencies, better-sqlite3, tensorflow, kernels, typescript
  --help          this text

steps
  dependencies    npm ci from package-lock.json, without the packages' own scripts
  better-sqlite3  its prebuilt binary, else built from source
  tensorflow      libtensorflow (a cached copy, else the pinned Python wheel, else tfjs-node's own installer) and
                  tfjs-node's binding to it. Where none can be had gatelm runs on WebAssembly: the same, slower
  kernels         native/, built with node-gyp; where it cannot be, composed TensorFlow ops serve
  typescript      tsc, into dist/

variables
  GATELM_CACHE_DIR      where libtensorflow and built binaries are kept for the next checkout
                        (default: gatelm/ in the user's cache folder, as in XDG_CACHE_HOME)
  GATELM_BACKEND        auto (default), native (no libtensorflow: set-up fails), wasm (no native steps)
  GATELM_KERNELS        auto (default), fused (no kernels: set-up fails), composed (they are not built)
  GATELM_LIBTENSORFLOW  where libtensorflow may come from, in this order (default cache,wheel,installer); off = nowhere
  npm's, pip's, node-gyp's and tfjs-node's own variables hold as well: npm_config_registry, PIP_INDEX_URL, PIP_NO_INDEX,
  npm_config_nodedir, CXX, TFJS_NODE_CDN_STORAGE, TFJS_NODE_BASE_URI, npm_config_better_sqlite3_binary_host, HTTPS_PROXY …
`;

/**
 * @returns settings: what is wanted, and the absolute paths of all that set-up reads and writes
 * @throws SetupError for an unknown option or value
 */
export function readSettings(argv, env, stepNames, root = ROOT) {
  const options = readOptions(argv, stepNames);
  const modules = join(root, 'node_modules');
  // npm ci empties node_modules: what must outlive it (the lock, the logs) stands in dist.
  const work = join(root, 'dist', '.setup');
  return {
    ...options,
    env,
    root,
    modules,
    tfjsDir: join(modules, '@tensorflow', 'tfjs-node'),
    stampsDir: join(modules, '.gatelm', 'stamps'),
    recordFile: join(modules, '.gatelm', 'setup.json'),
    lockFile: join(work, 'lock'),
    logsDir: join(work, 'logs'),
    cacheDir: resolve(env.GATELM_CACHE_DIR || defaultCacheDir(env)),
    backend: oneOf(BACKENDS, 'GATELM_BACKEND', env) ?? 'auto',
    kernels: oneOf(KERNELS, 'GATELM_KERNELS', env) ?? 'auto',
    libtensorflow: readSources(env.GATELM_LIBTENSORFLOW),
  };
}

function readOptions(argv, stepNames) {
  const options = { help: false, quiet: false, retry: false, steps: stepNames };
  for (const argument of argv) {
    if (argument === '--help' || argument === '-h') options.help = true;
    else if (argument === '--quiet') options.quiet = true;
    else if (argument === '--retry') options.retry = true;
    else if (argument.startsWith('--steps=')) options.steps = argument.slice('--steps='.length).split(',');
    else
      throw new SetupError(`unknown option ${argument}`, { advice: ['npm run setup -- --help lists them'] });
  }
  for (const step of options.steps) {
    if (!stepNames.includes(step)) {
      throw new SetupError(`unknown step "${step}" in --steps`, {
        advice: [`there are ${stepNames.join(', ')}`],
      });
    }
  }
  return options;
}

function readSources(text) {
  if (!text?.trim()) return SOURCES;
  if (text.trim() === 'off') return [];
  const sources = text.split(',').map((source) => source.trim());
  const unknown = sources.find((source) => !SOURCES.includes(source));
  if (unknown === undefined) return sources;
  throw new SetupError(`GATELM_LIBTENSORFLOW names "${unknown}"`, {
    advice: [`set it to some of ${SOURCES.join(', ')}, separated by commas, or to off`],
  });
}

function oneOf(allowed, name, env) {
  const value = env[name]?.trim();
  if (!value) return undefined;
  if (allowed.includes(value)) return value;
  throw new SetupError(`${name} is "${value}"`, { advice: [`set it to one of ${allowed.join(', ')}`] });
}

function defaultCacheDir(env) {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'gatelm');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'gatelm');
  if (process.platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'gatelm', 'Cache');
  return join(homedir(), '.cache', 'gatelm');
}

/** The first folder that exists on the way up from `path`, for free space and device numbers. */
export function existingParent(path) {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
