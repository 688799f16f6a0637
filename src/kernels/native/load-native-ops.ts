import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import * as tf from '../../tensor/tensorflow.js';
import type { NativeAddon, NodeBackend } from './native-addon.js';
import { NativeOps } from './native-ops.js';

const ADDON = '../../../../native/build/Release/gatelm_kernels.node';

let unavailableReason: string | undefined;

/** Loads the addon; undefined if it was not built or is incompatible. tfjs-node must be loaded first. */
export function loadNativeOps(): NativeOps | undefined {
  try {
    const path = fileURLToPath(new URL(ADDON, import.meta.url)); // from dist/src/kernels/native
    return new NativeOps(
      createRequire(import.meta.url)(path) as NativeAddon,
      tf.backend() as unknown as NodeBackend,
    );
  } catch (error) {
    unavailableReason = `the native kernels cannot be loaded (${(error as Error).message.split('\n')[0]})`;
    return undefined;
  }
}

/** Why {@link loadNativeOps} returned undefined. */
export function nativeOpsUnavailableReason(): string | undefined {
  return unavailableReason;
}
