/** The tools that build native code: which are there, and the environment in which node-gyp finds what it needs. */
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runCommand } from './command.mjs';

/** The path of a program, or undefined. A name with a slash is looked up as it is. */
export function findProgram(name, env) {
  const folders = /[\\/]/.test(name) ? [''] : (env.PATH ?? env.Path ?? '').split(delimiter);
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  for (const folder of folders) {
    for (const ending of endings) {
      const path = folder ? join(folder, `${name}${ending}`) : `${name}${ending}`;
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
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
  const names = [env.NODE_GYP_FORCE_PYTHON, env.npm_config_python, env.PYTHON, 'python3', 'python'];
  for (const name of names) {
    const path = name && findProgram(name, env);
    if (path) return path;
  }
  return undefined;
}

/** What is missing to build native code, in words; on Windows node-gyp itself looks for Visual Studio. */
export function missingBuildTools(env) {
  const missing = [];
  if (!findPython(env)) missing.push('python3');
  if (process.platform === 'win32') return missing;
  const compilers = env.CXX ? [env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++'];
  if (!compilers.some((name) => findProgram(name, env))) missing.push('a C++ compiler');
  if (!findProgram(env.MAKE ?? 'make', env) && !findProgram('gmake', env)) missing.push('make');
  return missing;
}

/** How to get the tools, for this platform. */
export function buildToolsAdvice() {
  switch (process.platform) {
    case 'darwin':
      return 'install the build tools: xcode-select --install';
    case 'win32':
      return 'install Python 3 and the "Desktop development with C++" of Visual Studio Build Tools';
    default:
      return (
        'install a C++ compiler, make and python3 with pip ' +
        '(Debian, Ubuntu: apt-get install build-essential python3 python3-pip)'
      );
  }
}

/** The environment for node-gyp and for packages' installers, which look for it in several ways. */
export function buildEnvironment({ env, modules }) {
  const headers = env.npm_config_nodedir ?? nodeHeadersFolder();
  const python = findPython(env);
  return {
    ...env,
    PATH: [join(modules, '.bin'), env.PATH ?? env.Path].filter(Boolean).join(delimiter),
    npm_config_node_gyp: nodeGyp(modules),
    npm_config_jobs: env.npm_config_jobs ?? 'max',
    ...(headers ? { npm_config_nodedir: headers } : {}),
    ...(python ? { npm_config_python: python } : {}),
  };
}

/** Runs node-gyp in a folder. @throws CommandError */
export function runNodeGyp(settings, { name, args, cwd }) {
  return runCommand({
    name,
    program: process.execPath,
    args: [nodeGyp(settings.modules), ...args],
    logsDir: settings.logsDir,
    cwd,
    env: buildEnvironment(settings),
  });
}

function nodeGyp(modules) {
  return join(modules, 'node-gyp', 'bin', 'node-gyp.js');
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
