/**
 * The kernels' own tests, in C++ and without TensorFlow: with each compiler that has the usual name, which must give the same
 * bits, and under AddressSanitizer. What was built stays in native/build until a source changes.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const RUN_SH = fileURLToPath(new URL('../../../native/test/run.sh', import.meta.url));
/** The paths whose memory accesses differ; one that the processor has not is passed over. */
const SANITIZED_PATHS = 'avx2 avx512bf16 amx';

const compilers = (process.env.CXX ? [process.env.CXX] : ['g++', 'clang++']).filter(
  (name) => spawnSync(name, ['--version']).status === 0,
);

async function runTests(kind: string, env: Record<string, string>): Promise<string> {
  const { stdout } = await run('sh', [RUN_SH, kind], {
    env: { ...process.env, GATELM_THREADS: '2', ...env },
  });
  return stdout;
}

describe('the kernels alone', { skip: compilers.length > 0 ? false : 'there is no C++ compiler' }, () => {
  it('agree with plain loops on every path, with the same bits from each compiler', async () => {
    const report = await runTests('plain', { CXX: compilers.join(' ') });
    const portable =
      report.match(/^portable, 2 threads: all agree, digest [0-9a-f]{16}, of the cells [0-9a-f]{16}$/gm) ??
      [];
    assert.deepEqual([portable.length, new Set(portable).size], [compilers.length, 1], report);
  });

  it('touch no memory but their own', async () => {
    const report = await runTests('address', { CXX: compilers[0] ?? '', GATELM_CPU: SANITIZED_PATHS });
    assert.match(report, /^avx2(, 2 threads: all agree|: this processor)|has no library for this here$/m);
    if (/^avx512bf16, /m.test(report)) assert.match(report, /^amx, 2 threads: all agree/m); // its tiles are emulated
  });
});
