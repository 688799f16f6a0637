/** Builds native code with node-gyp: which tools are there, and the environment in which node-gyp finds what it needs. */
import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { runCommand } from './command.mjs';

/** The path of the first of these programs that is there, or undefined. A name with a slash is looked up as it is. */
export function findProgram(names, { PATH = '' }) {
  const folders = PATH.split(delimiter);
  return names
    .filter(Boolean)
    .flatMap((name) => (name.includes('/') ? [name] : folders.map((folder) => join(folder, name))))
    .find((path) => existsSync(path));
}

/** The Python that pip and node-gyp are run with. */
export function findPython({ npm_config_python, PYTHON, PATH }) {
  return findProgram([npm_config_python, PYTHON, 'python3', 'python'], { PATH });
}

/** What is missing to build native code, in words. */
export function missingBuildTools(env) {
  const missing = findPython(env) ? [] : ['python3'];
  const compilers = env.CXX ? [env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++'];
  if (!findProgram(compilers, env)) missing.push('a C++ compiler');
  if (!findProgram([env.MAKE ?? 'make', 'gmake'], env)) missing.push('make');
  return missing;
}

/** @throws Error that names what is missing */
export function requireBuildTools({ env }) {
  const missing = missingBuildTools(env);
  if (missing.length > 0) throw new Error(`${missing.join(', ')} not found, needed to build native code`);
}

/** How to get the tools, for this platform. */
export function buildToolsAdvice() {
  if (process.platform === 'darwin') return 'install the build tools: xcode-select --install';
  return (
    'install a C++ compiler, make and python3 with pip ' +
    '(Debian, Ubuntu: apt-get install build-essential python3 python3-pip)'
  );
}

/** Builds gatelm's kernels into native/build/Release. */
export async function buildKernels(settings) {
  const cwd = join(settings.root, 'native');
  const deps = join(settings.packageDir('@tensorflow/tfjs-node'), 'deps');
  const variable = `--tfjs_deps=${relative(cwd, deps)}`; // of binding.gyp
  await runScript(settings, 'kernels-build', cwd, [nodeGyp(settings), 'rebuild', '--release', variable]);
}

/** Builds tfjs-node's binding to the library in its deps/, by its own build file. */
export async function buildBinding(settings, tfjsDir) {
  rmSync(join(tfjsDir, 'build'), { recursive: true, force: true }); // an interrupted build's
  const nodePreGyp = join(settings.packageDir('@mapbox/node-pre-gyp', tfjsDir), 'bin', 'node-pre-gyp');
  await runScript(settings, 'tfjs-node-build', tfjsDir, [nodePreGyp, 'install', '--build-from-source']);
}

async function runScript(settings, name, cwd, args) {
  requireBuildTools(settings);
  const env = buildEnvironment(settings);
  const reason = /^(.*\berror: .*)$/m; // a compiler's
  await runCommand({ ...settings, name, program: process.execPath, args, cwd, env, reason });
}

/** The environment for node-gyp and for packages' installers, which look for it in several ways. */
export function buildEnvironment(settings) {
  const { env } = settings;
  const python = findPython(env);
  const headers = env.npm_config_nodedir ?? nodeHeadersFolder();
  // make takes g++ where nothing else is named.
  const isOnlyClang = !env.CXX && !findProgram(['g++'], env) && findProgram(['clang++'], env);
  return {
    ...env,
    npm_config_loglevel: 'info', // prebuild-install gives its reasons at this level only
    npm_config_node_gyp: nodeGyp(settings),
    npm_config_jobs: env.npm_config_jobs ?? 'max',
    ...(isOnlyClang ? { CC: env.CC ?? 'clang', CXX: 'clang++' } : {}),
    ...(headers ? { npm_config_nodedir: headers } : {}),
    ...(python ? { npm_config_python: python } : {}),
  };
}

function nodeGyp({ packageDir }) {
  return join(packageDir('node-gyp'), 'bin', 'node-gyp.js');
}

/** The folder above include/node that came with this very Node, so that its headers need no download. */
function nodeHeadersFolder() {
  const folder = dirname(dirname(realpathSync(process.execPath)));
  const header = join(folder, 'include', 'node', 'node_version.h');
  const text = existsSync(header) ? readFileSync(header, 'utf8') : '';
  const numbers = [...text.matchAll(/define NODE_(?:MAJOR|MINOR|PATCH)_VERSION (\d+)/g)].map(([, n]) => n);
  return numbers.join('.') === process.versions.node ? folder : undefined;
}
