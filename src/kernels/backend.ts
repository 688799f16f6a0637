/**
 * Chooses the backend: the native TensorFlow library with gatelm's fused kernels, the same library with composed
 * TensorFlow ops, or TensorFlow.js's WebAssembly backend if there is no native library.
 */
import { availableParallelism, cpus } from 'node:os';
import type { BackendReport } from '../contracts/jobs.js';
import { appError } from '../errors.js';
import { loadWithFewPages } from '../tensor/file-pages.js';
import { type BackendName, loadTensorFlow, tensorflowVersion } from '../tensor/load-tensorflow.js';
import { ComposedKernels } from './composed/composed-kernels.js';
import type { Kernels } from './kernels.js';
import { loadNativeOps, nativeOpsUnavailableReason } from './native/load-native-ops.js';
import { NativeKernels } from './native/native-kernels.js';

export interface BackendOptions {
  readonly backend: 'auto' | BackendName;
  readonly kernels: 'auto' | Kernels['name'];
}

/** The backend of this thread, and its description. */
export interface Backend {
  readonly kernels: Kernels;
  readonly report: BackendReport;
  /** Version of the TensorFlow library. */
  readonly tensorflow: string;
}

let loading: Promise<Backend> | undefined;

/**
 * Loads TensorFlow once per thread; later calls return the same backend.
 * @throws backend-unavailable when an explicitly requested backend cannot be loaded
 */
export function loadBackend(options: BackendOptions = backendOptionsFromEnvironment()): Promise<Backend> {
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

async function load({ backend, kernels: wanted }: BackendOptions): Promise<Backend> {
  const notes: string[] = [];
  const name = await loadWithFewPages(() => loadTensorFlow(backend, notes));
  const ops = wanted !== 'composed' && name === 'native' ? loadNativeOps() : undefined;
  const reason = nativeOpsUnavailableReason();
  if (reason) notes.push(`composed kernels: ${reason}`);
  if (wanted === 'fused' && !ops) {
    throw appError('backend-unavailable', {
      backend: 'native, fused kernels',
      reason: reason ?? `they need the native backend, not ${name}`,
    });
  }
  const kernels: Kernels = ops ? new NativeKernels(ops) : new ComposedKernels();
  const report = {
    backend: name,
    kernels: kernels.name,
    instructions: ops?.info.cpu ?? null,
    threads: name === 'native' ? Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism()) : 1,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    notes,
  };
  return { kernels, report, tensorflow: tensorflowVersion(name) };
}
