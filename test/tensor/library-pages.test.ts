import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const BACKEND = new URL('../../src/kernels/backend.js', import.meta.url).href;
const FILE_PAGES = new URL('../../src/tensor/file-pages.js', import.meta.url).href;
const TENSORFLOW = new URL('../../src/tensor/tensorflow.js', import.meta.url).href;
/** Of the quarter of a gigabyte that loading it touches. */
const MAX_BYTES = 60 * 1024 * 1024;
/** Loading takes about 25,000; 270,000 and 20 seconds where pages are given back that it reads again and again. */
const MAX_PAGE_FAULTS = 80_000;

test('after its start libtensorflow holds little memory, fetched its pages once, and works', (context) => {
  if (process.platform !== 'linux') return context.skip('reads /proc');
  const program = `
    const { readFileSync } = await import('node:fs');
    const { loadBackend } = await import('${BACKEND}');
    const tf = await import('${TENSORFLOW}');
    const { kernels: { name: kernels } } = await loadBackend();
    const pageFaults = process.resourceUsage().minorPageFault;
    let [bytes, isLibrary] = [0, false];
    for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\\n')) {
      if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isLibrary = line.includes('/libtensorflow');
      else if (isLibrary && line.startsWith('Rss:')) bytes += 1024 * Number(line.match(/\\d+/)[0]);
    }
    const product = tf.matMul(tf.ones([3, 4]), tf.ones([4, 2])).dataSync();
    console.log(JSON.stringify({ kernels, bytes, pageFaults, product: [...product] }));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const { kernels, bytes, pageFaults, product } = JSON.parse(stdout);
  if (kernels !== 'fused') return context.skip('the native kernels were not built here');
  assert.ok(bytes > 0 && bytes < MAX_BYTES, `${bytes} bytes`);
  assert.ok(pageFaults < MAX_PAGE_FAULTS, `${pageFaults} page faults`);
  assert.deepEqual(product, [4, 4, 4, 4, 4, 4]);
});

test('a process may end while it loads', () => {
  const program = `
    const { loadWithFewPages } = await import('${FILE_PAGES}');
    setTimeout(() => process.exit(7), 50);
    await loadWithFewPages(() => new Promise(() => setTimeout(() => {}, 60_000)));`;
  const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, signal], [7, null], stderr);
});
