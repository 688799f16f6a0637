/** What the command line and the environment ask of set-up, and where everything lies. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './failure.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export const HELP = `Makes gatelm ready to run. Where nothing is to do it returns at once.

  npm run setup -- [options]     in a checkout
  npx gatelm setup [options]     where gatelm is installed as a package

options
  --quiet         say nothing where nothing is to do
  --retry         try again what could not be had before (libtensorflow, kernels, dashboard)
  --steps=A,B     only these: dependencies, better-sqlite3, tensorflow, kernels, typescript, dashboard
  --report        print what there is on this machine, as JSON, and do nothing
  --help          this text

steps
  dependencies    npm ci from package-lock.json, without the packages' own scripts
  better-sqlite3  its prebuilt binary, else built from source
  tensorflow      libtensorflow (a cached copy, else the pinned Python wheel, else tfjs-node's own installer) and
                  tfjs-node's binding to it. Where none can be had gatelm runs on WebAssembly: the same, slower
  kernels         native/, built with node-gyp; where it cannot be, composed TensorFlow ops serve
  typescript      tsc, into dist/
  dashboard       web/ with Vite, into dist/dashboard; where it cannot be built the server runs without it

variables
  GATELM_CACHE_DIR      where libtensorflow and built binaries are kept for the next checkout
                        (default: gatelm/ in XDG_CACHE_HOME, or in ~/.cache)
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
export function readSettings(argv, env, stepNames) {
  const modules = join(ROOT, 'node_modules');
  // npm ci empties node_modules: what must outlive it (the lock, the logs) stands in dist.
  const work = join(ROOT, 'dist', '.setup');
  return {
    ...readOptions(argv, stepNames),
    env,
    root: ROOT,
    modules,
    command: existsSync(join(ROOT, 'tsconfig.json')) ? 'npm run setup --' : 'npx gatelm setup',
    packageDir: (name, from = ROOT) => packageDir(name, from) ?? join(modules, name),
    stampsDir: join(modules, '.gatelm', 'stamps'),
    recordFile: join(modules, '.gatelm', 'setup.json'),
    lockFile: join(work, 'lock'),
    logsDir: join(work, 'logs'),
    cacheDir: resolve(
      env.GATELM_CACHE_DIR || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gatelm'),
    ),
    backend: oneOf(['auto', 'native', 'wasm'], 'GATELM_BACKEND', env),
    kernels: oneOf(['auto', 'fused', 'composed'], 'GATELM_KERNELS', env),
    libtensorflow: readSources(env.GATELM_LIBTENSORFLOW?.trim() || 'cache,wheel,installer'),
  };
}

function readOptions(argv, stepNames) {
  const options = { help: argv.includes('-h'), quiet: false, report: false, retry: false, steps: stepNames };
  for (const argument of argv.filter((argument) => argument !== '-h')) {
    const [, name, value] = /^--([a-z]+)(?:=(.*))?$/.exec(argument) ?? [];
    if (name === 'steps' && value) options.steps = value.split(',');
    else if (typeof options[name] === 'boolean' && value === undefined) options[name] = true;
    else throw refused(`unknown option ${argument}`, '--help lists them');
  }
  const unknown = options.steps.find((step) => !stepNames.includes(step));
  if (unknown !== undefined)
    throw refused(`unknown step "${unknown}" in --steps`, `there are ${stepNames.join(', ')}`);
  return options;
}

function readSources(text) {
  if (text === 'off') return [];
  const sources = text.split(',').map((source) => source.trim());
  const unknown = sources.find((source) => !['cache', 'wheel', 'installer'].includes(source));
  if (unknown === undefined) return sources;
  const advice = 'set it to some of cache, wheel, installer, separated by commas, or to off';
  throw refused(`GATELM_LIBTENSORFLOW names "${unknown}"`, advice);
}

/** The first value is the default. */
function oneOf(allowed, name, env) {
  const value = env[name]?.trim() || allowed[0];
  if (allowed.includes(value)) return value;
  throw refused(`${name} is "${value}"`, `set it to one of ${allowed.join(', ')}`);
}

function refused(message, advice) {
  return new SetupError(message, undefined, [advice]);
}

/** Where Node finds a package from a folder: in its own node_modules, or in that of a folder above. */
function packageDir(name, from) {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  return dirname(from) === from ? undefined : packageDir(name, dirname(from));
}
