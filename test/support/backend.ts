import { before, type TestContext } from 'node:test';
import { loadBackend } from '../../src/kernels/backend.js';
import { ComposedKernels } from '../../src/kernels/composed/composed-kernels.js';
import type { Kernels } from '../../src/kernels/kernels.js';

let current: Kernels | undefined;

/** Loads the backend before the tests of a file. */
export function useBackend(): void {
  before(async () => {
    current = (await loadBackend()).kernels;
  });
}

/** Those of the present {@link onKernels}, else the fastest that there are; the backend must be loaded. */
export function testKernels(): Kernels {
  if (!current) throw new Error('useBackend() comes first');
  return current;
}

/** The two implementations that everything has: ops of TensorFlow, and the fused native kernels where they were built. */
export const KERNELS = ['composed', 'fused'] as const;
type KernelsName = (typeof KERNELS)[number];

/** Runs `body`, which may wait, on the kernels named; skips the test, with a word, where they are not there. */
export async function onKernels(
  name: KernelsName,
  context: TestContext,
  body: (kernels: Kernels) => void | Promise<void>,
): Promise<void> {
  const fastest = testKernels();
  const kernels = name === 'composed' ? new ComposedKernels() : fastest;
  if (kernels.name !== name) {
    context.skip('the fused kernels were not built here');
    return;
  }
  current = kernels;
  try {
    await body(kernels);
  } finally {
    current = fastest;
  }
}
