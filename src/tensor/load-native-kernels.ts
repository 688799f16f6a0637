import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import type { NativeAddon, NodeBackend } from './native-addon.js';
import { NativeKernels } from './native-kernels.js';

const ADDON = '../../../native/build/Release/gatelm_kernels.node';

let unavailableReason: string | undefined;

/** Loads the addon; undefined where it was not built or does not fit. tfjs-node must be loaded before. */
export function loadNativeKernels(): NativeKernels | undefined {
  try {
    const path = fileURLToPath(new URL(ADDON, import.meta.url)); // from dist/src/tensor
    return new NativeKernels(
      createRequire(import.meta.url)(path) as NativeAddon,
      tf.backend() as unknown as NodeBackend,
    );
  } catch (error) {
    unavailableReason = `the native kernels are not there (${(error as Error).message.split('\n')[0]})`;
    return undefined;
  }
}

/** Why {@link loadNativeKernels} gave nothing. */
export function nativeKernelsUnavailableReason(): string | undefined {
  return unavailableReason;
}
