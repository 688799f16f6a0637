/** What set-up has found, for its last line and for `gatelm doctor`. */
import { execFileSync } from 'node:child_process';
import { buildToolsAdvice, findProgram, findPython, missingBuildTools } from './build.mjs';
import { bytesOf, readStamps } from './files.mjs';
import { reasonOf } from './output.mjs';
import { probeKernels, probeSqlite } from './probe.mjs';
import { kernelsFile } from './steps.mjs';

/**
 * What gatelm will run on.
 * @returns {{ backend: 'native' | 'wasm', kernels: 'fused' | 'composed', tensorflow: string | null, reasons: string[] }}
 * the version of libtensorflow, and why it is not native and fused, a sentence each
 */
export function describeBackend({ root, backend, kernels }) {
  const stamps = readStamps(root);
  const noLibrary = backend === 'wasm' ? ['GATELM_BACKEND=wasm'] : whyNot(stamps.tensorflow);
  const noKernels = kernels === 'composed' ? ['GATELM_KERNELS=composed'] : whyNot(stamps.kernels);
  const reasons = noLibrary
    ? noLibrary.map((reason) => `no libtensorflow, ${reason}`)
    : noKernels?.map((reason) => `no fused kernels, ${reason}`);
  return {
    backend: noLibrary ? 'wasm' : 'native',
    kernels: noLibrary || noKernels ? 'composed' : 'fused',
    tensorflow: noLibrary ? null : stamps.tensorflow.version,
    reasons: reasons ?? [],
  };
}

function whyNot(stamp) {
  return stamp ? stamp.reasons : ['it has not been built here'];
}

/** What `setup.mjs --report` prints. @param {string[]} pending steps that are still to do */
export async function describeMachine(settings, pending) {
  const { root, env, cacheDir, logsDir, command } = settings;
  const { tensorflow, dashboard } = readStamps(root);
  const backend = describeBackend(settings);
  const sqlite = await probeSqlite(settings).catch(() => undefined);
  const isFused = backend.kernels === 'fused';
  return {
    ...backend,
    pending,
    source: tensorflow?.source ?? null,
    dashboardReasons: dashboard?.reasons ?? [],
    sqlite: sqlite?.replace('SQLite ', '') ?? null,
    python: versionOf(findPython(env)),
    compiler: versionOf(findProgram([env.CXX?.split(' ')[0], 'g++', 'c++', 'clang++'], env)),
    missingTools: missingBuildTools(env),
    toolsAdvice: buildToolsAdvice(),
    cpuPath: isFused ? await probeKernels(settings, kernelsFile(root)).catch(() => null) : null,
    cache: { folder: cacheDir, bytes: bytesOf(cacheDir) },
    logsDir,
    command,
  };
}

/** The first line that `--version` prints, with the program's path; null where there is none. */
function versionOf(program) {
  if (!program) return null;
  try {
    const [line] = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: 'pipe' }).split('\n');
    return `${line.trim()} (${program})`;
  } catch (error) {
    return `${program} does not run: ${reasonOf(error)}`;
  }
}
