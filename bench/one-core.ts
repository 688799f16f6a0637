import type { Kernels } from '../src/kernels/kernels.js';

/** Loads the kernels for one core; TensorFlow reads these variables only once. */
export async function loadOneCore(): Promise<Kernels> {
  process.env.GATELM_THREADS = '1';
  process.env.TF_NUM_INTRAOP_THREADS = '1';
  const { loadBackend } = await import('../src/kernels/backend.js');
  return (await loadBackend()).kernels;
}
