/**
 * Chooses where the arithmetic runs: the native TensorFlow library with gatelm's fused kernels, the same library with
 * composed TensorFlow ops, or TensorFlow.js's WebAssembly backend where there is no native library.
 */
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { appError } from '../errors.js';
import { loadWithFewPages } from './file-pages.js';
import { loadNativeKernels, nativeKernelsUnavailableReason } from './load-native-kernels.js';
import type { NativeKernels } from './native-kernels.js';

export type BackendName = 'native' | 'wasm';
export type KernelsName = 'fused' | 'composed';

export interface BackendOptions {
  readonly backend: 'auto' | BackendName;
  readonly kernels: 'auto' | KernelsName;
}

/** What was found; the same shape as the contract of that name. */
export interface BackendReport {
  readonly backend: BackendName;
  readonly kernels: KernelsName;
  /** Threads of one kernel. */
  readonly threads: number;
  readonly cpu: string;
  /** Why it is not the fastest, if it is not. */
  readonly notes: string[];
}

let loading: Promise<BackendReport> | undefined;
let fused: NativeKernels | undefined;

/**
 * Loads TensorFlow once a thread; later calls give the first one's report.
 * @throws backend-unavailable when the backend that was asked for by name cannot be loaded
 */
export function loadBackend(
  options: BackendOptions = backendOptionsFromEnvironment(),
): Promise<BackendReport> {
  loading ??= load(options);
  return loading;
}

/** `GATELM_BACKEND` and `GATELM_KERNELS`, else auto. */
export function backendOptionsFromEnvironment(): BackendOptions {
  const { GATELM_BACKEND: backend, GATELM_KERNELS: kernels } = process.env;
  return {
    backend: backend === 'native' || backend === 'wasm' ? backend : 'auto',
    kernels: kernels === 'fused' || kernels === 'composed' ? kernels : 'auto',
  };
}

/** The fused kernels, or undefined where the composed ops serve. */
export function fusedKernels(): NativeKernels | undefined {
  return fused;
}

/** Runs `body` on composed ops even where fused kernels are loaded: for tests of one against the other. */
export function withComposedKernels<Result>(body: () => Result): Result {
  const kept = fused;
  fused = undefined;
  try {
    return body();
  } finally {
    fused = kept;
  }
}

/** {@link withComposedKernels} for a body that waits; nothing else may compute meanwhile. */
export async function withComposedKernelsAsync<Result>(body: () => Promise<Result>): Promise<Result> {
  const kept = fused;
  fused = undefined;
  try {
    return await body();
  } finally {
    fused = kept;
  }
}

async function load({ backend, kernels }: BackendOptions): Promise<BackendReport> {
  const notes: string[] = [];
  const name = await loadWithFewPages(() => loadTensorFlow(backend, notes));
  if (kernels !== 'composed' && name === 'native') {
    fused = loadNativeKernels();
    if (!fused) notes.push(`composed kernels: ${nativeKernelsUnavailableReason()}`);
  }
  if (kernels === 'fused' && !fused) {
    throw appError('backend-unavailable', {
      backend: 'native, fused kernels',
      reason: nativeKernelsUnavailableReason() ?? `they need the native backend, not ${name}`,
    });
  }
  return {
    backend: name,
    kernels: fused ? 'fused' : 'composed',
    threads: name === 'native' ? Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism()) : 1,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    notes,
  };
}

async function loadTensorFlow(wanted: BackendOptions['backend'], notes: string[]): Promise<BackendName> {
  if (wanted !== 'wasm') {
    try {
      process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // TensorFlow prints a banner to stderr otherwise
      restoreIsNullOrUndefined();
      await import('@tensorflow/tfjs-node');
      await tf.ready();
      return 'native';
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      if (wanted === 'native') throw appError('backend-unavailable', { backend: 'native', reason }, error);
      notes.push(
        `WebAssembly backend, several times slower: the native TensorFlow library did not load (${reason})`,
      );
    }
  }
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const folder = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  wasm.setWasmPaths(folder.replace(/package\.json$/, 'wasm-out/'));
  wasm.setThreadsCount(1);
  if (!(await tf.setBackend('wasm'))) {
    throw appError('backend-unavailable', { backend: 'wasm', reason: 'it did not start' });
  }
  await tf.ready();
  return 'wasm';
}

/** Node 23 removed `util.isNullOrUndefined`, which tfjs-node 4.22 calls. */
function restoreIsNullOrUndefined(): void {
  const old = util as { isNullOrUndefined?: (value: unknown) => boolean };
  old.isNullOrUndefined ??= (value) => value === null || value === undefined;
}
