import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const BACKEND = new URL('../../src/tensor/backend.js', import.meta.url).href;
const TENSORFLOW = new URL('../../src/tensor/tensorflow.js', import.meta.url).href;
/** Of the quarter of a gigabyte that loading it touches. */
const MOST_BYTES = 60 * 1024 * 1024;
/** Of the whole process at any moment; with all pages of the library it would be 380 MiB. */
const MOST_PEAK_BYTES = 340 * 1024 * 1024;

test('libtensorflow holds little memory after its start, not much more meanwhile, and works', (context) => {
  if (process.platform !== 'linux') return context.skip('reads /proc');
  const program = `
    const { readFileSync } = await import('node:fs');
    const { loadBackend } = await import('${BACKEND}');
    const tf = await import('${TENSORFLOW}');
    const { kernels } = await loadBackend();
    let [bytes, isLibrary] = [0, false];
    for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\\n')) {
      if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isLibrary = line.includes('/libtensorflow');
      else if (isLibrary && line.startsWith('Rss:')) bytes += 1024 * Number(line.match(/\\d+/)[0]);
    }
    const product = tf.matMul(tf.ones([3, 4]), tf.ones([4, 2])).dataSync();
    const peakBytes = 1024 * process.resourceUsage().maxRSS;
    console.log(JSON.stringify({ kernels, bytes, peakBytes, product: [...product] }));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const { kernels, bytes, peakBytes, product } = JSON.parse(stdout);
  if (kernels !== 'fused') return context.skip('the native kernels were not built here');
  assert.ok(bytes > 0 && bytes < MOST_BYTES, `${bytes} bytes`);
  assert.ok(peakBytes < MOST_PEAK_BYTES, `${peakBytes} bytes at its peak`);
  assert.deepEqual(product, [4, 4, 4, 4, 4, 4]);
});
