/** `setup.mjs --report`: what set-up finds on this machine, as one JSON object, for `gatelm doctor`. */
import { execFileSync } from 'node:child_process';
import { buildToolsAdvice, findProgram, findPython, missingBuildTools } from './build.mjs';
import { probeKernels, probeSqlite } from './probe.mjs';
import { describeRecord } from './record.mjs';
import { bytesOf } from './report.mjs';
import { isDone } from './steps/is-done.mjs';
import { kernelsFile } from './steps/kernels.mjs';

export async function describeMachine(context, steps) {
  const { settings, stamps } = context;
  const { env, cacheDir, logsDir, command } = settings;
  const record = describeRecord(context);
  const compiler = findProgram([env.CXX?.split(' ')[0], 'g++', 'c++', 'clang++'], env);
  return {
    ...record,
    pending: steps.filter((step) => !isDone(step, context)).map(({ name }) => name),
    source: stamps.read('tensorflow')?.source ?? null,
    dashboardReasons: stamps.read('dashboard')?.reasons ?? [],
    sqlite: await probeSqlite(settings).catch(() => null),
    python: versionOf(findPython(env)),
    compiler: versionOf(compiler),
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
