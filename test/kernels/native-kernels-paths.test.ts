/** The native kernels on every path that this processor has, on one, two and three threads, and in two worker threads. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { loadBackend } from '../../src/kernels/backend.js';
import { NativeKernels } from '../../src/kernels/native/native-kernels.js';

const run = promisify(execFile);
const TESTS = fileURLToPath(new URL('./native-kernels.test.js', import.meta.url));
const FIXTURE = new URL('../fixtures/run-native-kernels.js', import.meta.url);
/** From the most portable one; a processor that has one has those before it. */
const PATHS = ['portable', 'avx2', 'avx512', 'avx512bf16', 'amx'];

async function digestOfWorker(): Promise<string> {
  const worker = new Worker(FIXTURE);
  const [digest] = (await once(worker, 'message')) as [string];
  await worker.terminate();
  return digest;
}

describe('the native kernels', async () => {
  const { kernels } = await loadBackend();
  const best = kernels instanceof NativeKernels ? kernels.ops.info.best : undefined;
  const skip = best ? false : 'they were not built here';

  for (const [index, path] of PATHS.entries()) {
    const missing = best && index > PATHS.indexOf(best) ? `this processor has no ${path}` : false;
    it(`pass their tests on the path "${path}"`, { skip: skip || missing }, async () => {
      const { NODE_TEST_CONTEXT: _, ...env } = process.env; // or the child reports to this runner
      const threads = String(1 + (index % 3));
      await run(process.execPath, ['--test', TESTS], {
        env: { ...env, GATELM_CPU: path, GATELM_THREADS: threads },
      });
    });
  }

  it('give two worker threads at once the bits that they give one', { skip }, async () => {
    const alone = await digestOfWorker();
    assert.deepEqual(await Promise.all([digestOfWorker(), digestOfWorker()]), [alone, alone]);
  });
});
