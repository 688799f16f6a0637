import { before, type TestContext } from 'node:test';
import {
  fusedKernels,
  loadBackend,
  withComposedKernels,
  withComposedKernelsAsync,
} from '../../src/tensor/backend.js';

/** Loads the backend before the tests of a file. */
export function useBackend(): void {
  before(async () => {
    await loadBackend();
  });
}

/** The two paths that every layer has: ops of TensorFlow, and the fused native kernels where they were built. */
export const KERNELS = ['composed', 'fused'] as const;
type Kernels = (typeof KERNELS)[number];

/** Runs `body` on the kernels named; skips the test, with a word, where they are not there. */
export function onKernels(kernels: Kernels, context: TestContext, body: () => void): void {
  if (kernels === 'composed') withComposedKernels(body);
  else if (fusedKernels()) body();
  else skip(context);
}

/** {@link onKernels} for a body that waits. */
export async function onKernelsAsync(
  kernels: Kernels,
  context: TestContext,
  body: () => Promise<void>,
): Promise<void> {
  if (kernels === 'composed') await withComposedKernelsAsync(body);
  else if (fusedKernels()) await body();
  else skip(context);
}

function skip(context: TestContext): void {
  context.skip('the fused kernels were not built here');
}
