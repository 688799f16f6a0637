import type { BackendReport } from '../contracts/jobs.js';

/** What trainings run on, in a few words. */
export function describeBackend({ backend, kernels, threads, cpu }: BackendReport): string {
  const library = backend === 'native' ? `native TensorFlow, ${kernels} kernels` : 'WebAssembly (slower)';
  return `${library}, ${threads} ${threads === 1 ? 'thread' : 'threads'} (${cpu})`;
}
