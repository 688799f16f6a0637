import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { forwardHostLog } from '../../src/compute/host-log.js';

test('TensorFlow’s banner is left out of a host’s log, its warnings and all else are not', async () => {
  const output = new PassThrough();
  const lines: string[] = [];
  forwardHostLog(output, (line) => lines.push(line));
  output.write('WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n');
  output.write('I0000 00:00:1795580167.589770   27921 port.cc:153] oneDNN custom operations are on.\nW00');
  output.write('00 00:00:1795580167.589770   27921 cpu.cc:1] allocation exceeds 10% of memory\n');
  output.end('free(): invalid pointer');
  await once(output, 'end');
  await new Promise(setImmediate);
  assert.deepEqual(lines, [
    'W0000 00:00:1795580167.589770   27921 cpu.cc:1] allocation exceeds 10% of memory',
    'free(): invalid pointer',
  ]);
});
