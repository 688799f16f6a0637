import { before, type TestContext } from 'node:test';
import { fusedKernels, loadBackend, withComposedKernels } from '../../src/tensor/backend.js';

/** Loads the backend before the tests of a file. */
export function useBackend(): void {
  before(async () => {
    await loadBackend();
  });
}

/** The two paths that every layer has: ops of TensorFlow, and the fused native kernels where they were built. */
export const KERNELS = ['composed', 'fused'] as const;

/** Runs `body` on the kernels named; skips the test, with a word, where they are not there. */
export function onKernels(kernels: (typeof KERNELS)[number], context: TestContext, body: () => void): void {
  if (kernels === 'composed') withComposedKernels(body);
  else if (fusedKernels()) body();
  else context.skip('the fused kernels were not built here');
}
