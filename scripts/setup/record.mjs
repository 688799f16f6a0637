/** What set-up has found, for `gatelm doctor`. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { buildToolsAdvice, findProgram, findPython, missingBuildTools } from './build.mjs';
import { probeKernels, probeSqlite } from './probe.mjs';
import { bytesOf } from './report.mjs';
import { readJson, writeFileAtomically } from './stamps.mjs';
import { hasSources, kernelsFile } from './steps/kernels.mjs';

/**
 * The record in node_modules/.gatelm/setup.json.
 * @typedef {object} SetupRecord
 * @property {1} version of this shape
 * @property {'native' | 'wasm'} backend native where libtensorflow is there, was seen to load and is not declined
 * @property {'fused' | 'composed'} kernels fused where gatelm's own kernels were built, seen to load and not declined
 * @property {string | null} tensorflow the native library's version
 * @property {string[]} reasons why it is not native and fused, a sentence each; empty where it is
 */

/** Writes the record where it differs. @returns {SetupRecord} */
export function updateRecord(context) {
  const { modules, recordFile } = context.settings;
  const record = describeRecord(context);
  const differs = JSON.stringify(readJson(recordFile)) !== JSON.stringify(record);
  if (differs && existsSync(modules)) writeFileAtomically(recordFile, `${JSON.stringify(record)}\n`);
  return record;
}

/** @returns {SetupRecord} */
function describeRecord({ settings, stamps }) {
  const [library, kernels] = [stamps.read('tensorflow'), stamps.read('kernels')];
  const native = settings.backend !== 'wasm' && library !== undefined && !library.unavailable;
  const fused = native && settings.kernels !== 'composed' && kernels !== undefined && !kernels.unavailable;
  return {
    version: 1,
    backend: native ? 'native' : 'wasm',
    kernels: fused ? 'fused' : 'composed',
    tensorflow: native ? library.version : null,
    reasons: native ? (fused ? [] : withoutKernels(settings, kernels)) : withoutLibrary(settings, library),
  };
}

function withoutLibrary(settings, library) {
  if (settings.backend === 'wasm') return ['libtensorflow was not looked for: GATELM_BACKEND=wasm'];
  if (library) return library.reasons.map((reason) => `libtensorflow could not be installed, ${reason}`);
  return ['libtensorflow has not been looked for yet'];
}

function withoutKernels(settings, kernels) {
  if (settings.kernels === 'composed')
    return ['the fused kernels were not asked for: GATELM_KERNELS=composed'];
  if (kernels?.reasons) return kernels.reasons.map((reason) => `the fused kernels were not built: ${reason}`);
  if (!hasSources(settings)) return ['this checkout has no native/binding.gyp'];
  return ['the fused kernels have not been built yet'];
}

/** What `setup.mjs --report` prints. @param {string[]} pending steps that are still to do */
export async function describeMachine(context, pending) {
  const { settings, stamps } = context;
  const { env, cacheDir, logsDir, command } = settings;
  const record = describeRecord(context);
  return {
    ...record,
    pending,
    source: stamps.read('tensorflow')?.source ?? null,
    dashboardReasons: stamps.read('dashboard')?.reasons ?? [],
    sqlite: await probeSqlite(settings).catch(() => null),
    python: versionOf(findPython(env)),
    compiler: versionOf(findProgram([env.CXX?.split(' ')[0], 'g++', 'c++', 'clang++'], env)),
    missingTools: missingBuildTools(env),
    toolsAdvice: buildToolsAdvice(),
    cpuPath:
      record.kernels === 'fused'
        ? await probeKernels(settings, kernelsFile(settings)).catch(() => null)
        : null,
    cache: { folder: cacheDir, bytes: bytesOf(cacheDir) },
    logsDir,
    command,
  };
}

/** The first line that `--version` prints, with the program's path; null where there is none. */
function versionOf(program) {
  if (!program) return null;
  try {
    const [line] = execFileSync(program, ['--version'], { encoding: 'utf8' }).split('\n');
    return `${line.trim()} (${program})`;
  } catch (error) {
    return `${program} does not run: ${error.message.split('\n')[0]}`;
  }
}
