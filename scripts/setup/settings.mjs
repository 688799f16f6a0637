/** What the command line and the environment ask of set-up, and where everything lies. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SetupError } from './output.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OPTIONS = {
  quiet: { type: 'boolean' },
  retry: { type: 'boolean' },
  steps: { type: 'string' },
  report: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
};

export const HELP = `Makes gatelm ready to run. Where nothing is to do it returns at once.

  npm run setup -- [options]     in a checkout
  npx gatelm setup [options]     where gatelm is installed as a package

options
  --quiet         say nothing where nothing is to do
  --retry         try again what could not be had before
  --steps=A,B     only these of the steps below
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
  GATELM_CACHE_DIR      where binaries are kept for the next checkout (default gatelm/ in XDG_CACHE_HOME or ~/.cache)
  GATELM_BACKEND        auto (default), native (no libtensorflow: set-up fails), wasm (no native steps)
  GATELM_KERNELS        auto (default), fused (no kernels: set-up fails), composed (they are not built)
  npm's, pip's, node-gyp's and tfjs-node's own variables hold as well: npm_config_registry, PIP_INDEX_URL, PIP_NO_INDEX,
  npm_config_nodedir, CXX, TFJS_NODE_CDN_STORAGE, TFJS_NODE_BASE_URI, npm_config_better_sqlite3_binary_host, HTTPS_PROXY …`;

/**
 * @returns settings: what is wanted, and the absolute paths of all that set-up reads and writes
 * @throws SetupError for an unknown option or value
 */
export function readSettings(args, env, stepNames) {
  const { steps, ...options } = readOptions(args);
  const caches = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return {
    ...options,
    steps: choose('--steps', steps || stepNames.join(), stepNames),
    backend: choose('GATELM_BACKEND', env.GATELM_BACKEND || 'auto', ['auto', 'native', 'wasm'])[0],
    kernels: choose('GATELM_KERNELS', env.GATELM_KERNELS || 'auto', ['auto', 'fused', 'composed'])[0],
    env,
    root: ROOT,
    command: existsSync(join(ROOT, 'tsconfig.json')) ? 'npm run setup --' : 'npx gatelm setup',
    packageDir: (name, from = ROOT) => packageDir(name, from) ?? join(ROOT, 'node_modules', name),
    // npm ci empties node_modules: what must outlive it stands in dist.
    lockFile: join(ROOT, 'dist', '.setup', 'lock'),
    logsDir: join(ROOT, 'dist', '.setup', 'logs'),
    cacheDir: resolve(env.GATELM_CACHE_DIR || join(caches, 'gatelm')),
  };
}

function readOptions(args) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch ({ message }) {
    throw new SetupError(`${message}\nto do: --help lists the options`);
  }
}

/** The values in a comma-separated text. */
function choose(name, text, allowed) {
  const values = text.split(',').map((value) => value.trim());
  const unknown = values.find((value) => !allowed.includes(value));
  if (unknown === undefined) return values;
  throw new SetupError(`${name} names "${unknown}"\nto do: choose from ${allowed.join(', ')}`);
}

/** Where Node finds a package from a folder: in its own node_modules, or in that of a folder above. */
function packageDir(name, from) {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  return dirname(from) === from ? undefined : packageDir(name, dirname(from));
}
