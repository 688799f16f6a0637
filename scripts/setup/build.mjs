/** Builds native code with node-gyp: which tools are there, and the environment in which node-gyp finds what it needs. */
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { runCommand } from './command.mjs';

/** The path of the first of these programs that is there, or undefined. A name with a slash is looked up as it is. */
export function findProgram(names, env) {
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter);
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  return names
    .filter(Boolean)
    .flatMap((name) => (/[\\/]/.test(name) ? [name] : folders.map((folder) => join(folder, name))))
    .flatMap((path) => endings.map((ending) => path + ending))
    .find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The Python that node-gyp and pip are run with. */
export function findPython(env) {
  return findProgram(
    [env.NODE_GYP_FORCE_PYTHON, env.npm_config_python, env.PYTHON, 'python3', 'python'],
    env,
  );
}

/** What is missing to build native code, in words; on Windows node-gyp itself looks for Visual Studio. */
export function missingBuildTools(env) {
  const missing = findPython(env) ? [] : ['python3'];
  if (process.platform === 'win32') return missing;
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
  if (process.platform === 'win32')
    return 'install Python 3 and the "Desktop development with C++" of Visual Studio Build Tools';
  return (
    'install a C++ compiler, make and python3 with pip ' +
    '(Debian, Ubuntu: apt-get install build-essential python3 python3-pip)'
  );
}

/** The environment for node-gyp and for packages' installers, which look for it in several ways. */
export function buildEnvironment({ env, packageDir, root }) {
  const headers = env.npm_config_nodedir ?? nodeHeadersFolder();
  const python = findPython(env);
  return {
    ...env,
    ...compilers(env),
    PATH: [join(root, 'node_modules', '.bin'), env.PATH ?? env.Path].filter(Boolean).join(delimiter),
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

/** Builds better-sqlite3 into its build/Release. @throws CommandError */
export async function buildSqlite(settings) {
  requireBuildTools(settings.env);
  const cwd = settings.packageDir('better-sqlite3');
  await runNodeGyp(settings, { name: 'better-sqlite3-build', cwd, args: ['rebuild', '--release'] });
}

/** Builds tfjs-node's binding to the library in its deps/, by its own build file. @throws CommandError */
export async function buildBinding(settings, tfjsDir) {
  requireBuildTools(settings.env, ', needed to build tfjs-node’s binding');
  rmSync(join(tfjsDir, 'build'), { recursive: true, force: true }); // an interrupted build's
  const nodePreGyp = join(settings.packageDir('@mapbox/node-pre-gyp', tfjsDir), 'bin', 'node-pre-gyp');
  await runCommand({
    ...settings,
    name: 'tfjs-node-build',
    program: process.execPath,
    args: [nodePreGyp, 'install', '--build-from-source'],
    cwd: tfjsDir,
    env: buildEnvironment(settings),
  });
}

/** Builds gatelm's kernels into native/build/Release. @throws CommandError, its message the compiler's first error */
export async function buildKernels(settings, tfjsDir) {
  requireBuildTools(settings.env);
  const cwd = join(settings.root, 'native');
  // After a whole build make compiles only what has changed; an interrupted one may have left half an object file.
  const whole = join(cwd, 'build', 'whole');
  const how = existsSync(whole) ? ['configure', 'build'] : ['rebuild'];
  const deps = `--tfjs_deps=${relative(cwd, join(tfjsDir, 'deps'))}`; // a variable of binding.gyp
  rmSync(whole, { force: true });
  const reason = /^(.*\berror: .*)$/m;
  await runNodeGyp(settings, { name: 'kernels-build', cwd, args: [...how, '--release', deps], reason });
  writeFileSync(whole, '');
}

function runNodeGyp(settings, { name, cwd, args, reason }) {
  return runCommand({
    ...settings,
    name,
    program: process.execPath,
    args: [nodeGyp(settings.packageDir), ...args],
    cwd,
    env: buildEnvironment(settings),
    reason,
  });
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
  const numbers = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1],
  );
  return numbers.join('.') === process.versions.node ? folder : undefined;
}
