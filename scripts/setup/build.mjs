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

/** The Python that node-gyp and pip are run with. */
export function findPython(env) {
  return findProgram(
    [env.NODE_GYP_FORCE_PYTHON, env.npm_config_python, env.PYTHON, 'python3', 'python'],
    env,
  );
}

/** What is missing to build native code, in words. */
export function missingBuildTools(env) {
  const missing = findPython(env) ? [] : ['python3'];
  const compilers = env.CXX ? [env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++'];
  if (!findProgram(compilers, env)) missing.push('a C++ compiler');
  if (!findProgram([env.MAKE ?? 'make', 'gmake'], env)) missing.push('make');
  return missing;
}

/** @throws Error that names what is missing and what it was needed for */
export function requireBuildTools(env, purpose = '') {
  const missing = missingBuildTools(env);
  if (missing.length > 0) throw new Error(`${missing.join(', ')} not found${purpose}`);
}

/** How to get the tools, for this platform. */
export function buildToolsAdvice() {
  if (process.platform === 'darwin') return 'install the build tools: xcode-select --install';
  return (
    'install a C++ compiler, make and python3 with pip ' +
    '(Debian, Ubuntu: apt-get install build-essential python3 python3-pip)'
  );
}

/** The environment for node-gyp and for packages' installers, which look for it in several ways. */
function buildEnvironment({ env, packageDir, root }) {
  const headers = env.npm_config_nodedir ?? nodeHeadersFolder();
  const python = findPython(env);
  return {
    ...env,
    ...compilers(env),
    PATH: [join(root, 'node_modules', '.bin'), env.PATH].filter(Boolean).join(delimiter),
    npm_config_loglevel: 'info', // prebuild-install gives its reasons at this level only
    npm_config_node_gyp: nodeGyp(packageDir),
    npm_config_jobs: env.npm_config_jobs ?? 'max',
    ...(headers ? { npm_config_nodedir: headers } : {}),
    ...(python ? { npm_config_python: python } : {}),
  };
}

/** make takes g++ where nothing else is named; where only clang is there, it is named. */
function compilers(env) {
  if (process.platform !== 'linux' || env.CXX || findProgram(['g++'], env)) return {};
  return findProgram(['clang++'], env) ? { CC: env.CC ?? 'clang', CXX: 'clang++' } : {};
}

/** Builds better-sqlite3 into its build/Release. */
export async function buildSqlite(settings) {
  requireBuildTools(settings.env);
  const args = [nodeGyp(settings.packageDir), 'rebuild', '--release'];
  await runScript(settings, 'better-sqlite3-build', settings.packageDir('better-sqlite3'), args);
}

/** Builds tfjs-node's binding to the library in its deps/, by its own build file. */
export async function buildBinding(settings, tfjsDir) {
  requireBuildTools(settings.env, ', needed to build tfjs-node’s binding');
  rmSync(join(tfjsDir, 'build'), { recursive: true, force: true }); // an interrupted build's
  const nodePreGyp = join(settings.packageDir('@mapbox/node-pre-gyp', tfjsDir), 'bin', 'node-pre-gyp');
  await runScript(settings, 'tfjs-node-build', tfjsDir, [nodePreGyp, 'install', '--build-from-source']);
}

/** Builds gatelm's kernels into native/build/Release. @throws Error, its message the compiler's first error */
export async function buildKernels(settings, tfjsDir) {
  requireBuildTools(settings.env);
  const cwd = join(settings.root, 'native');
  const deps = `--tfjs_deps=${relative(cwd, join(tfjsDir, 'deps'))}`; // a variable of binding.gyp
  const args = [nodeGyp(settings.packageDir), 'rebuild', '--release', deps];
  await runScript(settings, 'kernels-build', cwd, args, { reason: /^(.*\berror: .*)$/m });
}

/** Runs a script of Node that builds or downloads native code. @param {object} [more] options of runCommand */
export function runScript(settings, name, cwd, args, more) {
  const env = buildEnvironment(settings);
  return runCommand({ ...settings, name, program: process.execPath, args, cwd, env, ...more });
}

function nodeGyp(packageDir) {
  return join(packageDir('node-gyp'), 'bin', 'node-gyp.js');
}

/** The folder above include/node that came with this very Node, so that its headers need no download. */
function nodeHeadersFolder() {
  const folder = dirname(dirname(realpathSync(process.execPath)));
  const header = join(folder, 'include', 'node', 'node_version.h');
  if (!existsSync(header)) return undefined;
  const text = readFileSync(header, 'utf8');
  const number = (part) => new RegExp(`define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1];
  const version = ['MAJOR', 'MINOR', 'PATCH'].map(number).join('.');
  return version === process.versions.node ? folder : undefined;
}
