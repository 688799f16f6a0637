import type { BackendReport } from '../contracts/jobs.js';

/** The backend of trainings, in a few words. */
export function describeBackend({ backend, kernels, threads, cpu }: BackendReport): string {
  const library = backend === 'native' ? `native TensorFlow, ${kernels} kernels` : 'WebAssembly (slower)';
  return `${library}, ${threads} ${threads === 1 ? 'thread' : 'threads'} (${cpu})`;
}
