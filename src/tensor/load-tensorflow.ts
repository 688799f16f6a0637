import { createRequire } from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { appError } from '../errors.js';

export type BackendName = 'native' | 'wasm';

/**
 * Loads the library that was asked for, or the fastest that there is.
 * @param notes gets why it is not the fastest
 * @throws backend-unavailable
 */
export async function loadTensorFlow(wanted: 'auto' | BackendName, notes: string[]): Promise<BackendName> {
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

/** Of libtensorflow, or of the WebAssembly backend, after {@link loadTensorFlow}. */
export function tensorflowVersion(name: BackendName): string {
  if (name === 'wasm') return `wasm ${tf.version_core}`;
  return (tf.backend() as unknown as { binding: { TF_Version: string } }).binding.TF_Version;
}
