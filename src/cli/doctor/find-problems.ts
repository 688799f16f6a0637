import type { MachineState } from './examine.js';

/** Something that is broken or slow, why, and how to fix it. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly what: string;
  readonly why: string;
  readonly todo: string;
}

const MIN_MEMORY_BYTES = 1e9;
const MIN_DISK_BYTES = 1e9;
const SLOW_PATHS = ['portable'];

/** All problems, errors first: gatelm does not run until they are fixed. */
export function findProblems(state: MachineState): Problem[] {
  return [
    ...findErrors(state),
    ...findSlowCompute(state),
    ...findShortages(state),
    ...findMissingPages(state),
  ];
}

function findErrors({ setup, backend, backendError, data }: MachineState): Problem[] {
  const problems: Problem[] = [];
  const setUp = setup?.command.replace(/ --$/, '') ?? '';
  if (setup && setup.pending.length > 0) {
    const what = `set-up is not complete: ${setup.pending.join(', ')}`;
    const why = 'it has not run since the package or its sources changed';
    problems.push({ severity: 'warning', what, why, todo: setUp });
  }
  if (setup && setup.sqlite === null) {
    const why = `better-sqlite3 does not load on Node ${process.version}`;
    problems.push({ severity: 'error', what: 'no database', why, todo: setUp });
  }
  if (!backend) {
    const todo = 'choose another backend with GATELM_BACKEND and GATELM_KERNELS, or unset them';
    const why = backendError ?? 'it did not start';
    problems.push({ severity: 'error', what: 'TensorFlow cannot be loaded', why, todo });
  }
  if (data.error) {
    const what = `the data folder ${data.folder} cannot be written`;
    const todo = 'give this user write access, or choose another folder with GATELM_DATA_DIR';
    problems.push({ severity: 'error', what, why: data.error, todo });
  }
  return problems;
}

function findSlowCompute({ setup, backend, cpu }: MachineState): Problem[] {
  if (!backend) return [];
  const problems: Problem[] = [];
  const reasons = [...backend.notes, ...(setup?.reasons ?? [])];
  const why = reasons.join('; ') || 'it was requested';
  const missing = setup?.missingTools.length ? `${setup.toolsAdvice}; then ` : '';
  const todo = setup
    ? `${missing}${setup.command} --retry`
    : 'rebuild the image and read the output of set-up';
  if (backend.backend === 'wasm') {
    problems.push({ severity: 'warning', what: 'WebAssembly backend: several times slower', why, todo });
  } else if (backend.kernels === 'composed') {
    problems.push({ severity: 'warning', what: 'composed kernels: slower than fused ones', why, todo });
  }
  if (setup?.cpuPath && setup.cpuPath.used !== setup.cpuPath.best) {
    const what = `the kernels use ${setup.cpuPath.used}, this processor supports ${setup.cpuPath.best}`;
    problems.push({ severity: 'warning', what, why: 'GATELM_CPU selects it', todo: 'unset GATELM_CPU' });
  } else if (setup?.cpuPath && SLOW_PATHS.includes(setup.cpuPath.used)) {
    const what = 'the kernels use only the vector instructions of the compiler’s default target';
    const reason = 'this processor (or virtual machine) does not support AVX2';
    problems.push({
      severity: 'warning',
      what,
      why: reason,
      todo: 'use another machine type, if possible',
    });
  }
  return [...problems, ...findThreadProblems(backend.threads, cpu)];
}

function findThreadProblems(threads: number, { cores, quota, load }: MachineState['cpu']): Problem[] {
  const usable = Math.min(cores, Math.max(1, Math.floor(quota ?? cores)));
  if (threads > usable) {
    const what = `${threads} threads on ${usable} ${usable === 1 ? 'core' : 'cores'}: the threads compete for cores`;
    const why = quota === null ? 'GATELM_THREADS is larger' : 'the container is limited to that';
    return [{ severity: 'warning', what, why, todo: `set GATELM_THREADS=${usable}` }];
  }
  if (threads < usable && threads === 1) {
    const todo = `unset GATELM_THREADS, or set it to ${usable}`;
    return [
      {
        severity: 'warning',
        what: `1 thread on ${usable} cores`,
        why: 'GATELM_THREADS or the backend',
        todo,
      },
    ];
  }
  if (load > cores * 1.5) {
    const what = `other processes use the CPU: load ${load.toFixed(1)} on ${cores} cores`;
    return [{ severity: 'warning', what, why: 'they are running now', todo: 'wait for them, or stop them' }];
  }
  return [];
}

function findShortages({ memory, data }: MachineState): Problem[] {
  const problems: Problem[] = [];
  if (memory.availableBytes < MIN_MEMORY_BYTES) {
    const what = `${gigabytes(memory.availableBytes)} of memory are available`;
    const todo =
      'close other programs, or train smaller models; POST /experiments?dryRun=true estimates the memory of an experiment';
    problems.push({ severity: 'warning', what, why: 'a training takes 0.5 to 4 GB', todo });
  }
  if (data.freeBytes < MIN_DISK_BYTES) {
    const what = `only ${gigabytes(data.freeBytes)} are free in the data folder (${data.folder})`;
    const todo = 'free some space, or choose another folder with GATELM_DATA_DIR';
    problems.push({
      severity: 'warning',
      what,
      why: 'checkpoints need space; trainings fail without it',
      todo,
    });
  }
  return problems;
}

function findMissingPages({ dashboard, setup }: MachineState): Problem[] {
  if (dashboard) return [];
  const why = setup?.dashboardReasons.join('; ') || 'set-up did not build it';
  const todo = setup ? `${setup.command} --retry` : 'rebuild the image and read the output of set-up';
  return [{ severity: 'warning', what: 'no dashboard at /', why, todo }];
}

/** 1234567890 → `1.2 GB`. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
