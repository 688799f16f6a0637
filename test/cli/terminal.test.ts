import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sparkline, table } from '../../src/cli/terminal.js';

test('a table lines up its columns, numbers to the right, wide characters as two cells', () => {
  const text = table([
    ['name', 'valid'],
    ['変数', '9.5'],
    ['cat', '120.0'],
  ]);
  assert.deepEqual(text.split('\n'), ['name  valid', '変数    9.5', 'cat   120.0']);
});

test('a sparkline goes from the lowest bar to the highest', () => {
  assert.equal(sparkline([1, 2, 3, 4, 5, 6, 7, 8]), '▁▂▃▄▅▆▇█');
});

test('a sparkline keeps the last value when it has to leave some out, and passes over what is not finite', () => {
  const falling = Array.from({ length: 1000 }, (_, index) => 1000 - index);
  const line = sparkline([null, ...falling, Number.NaN], 10);
  assert.equal([...line].length, 10);
  assert.equal(line.at(-1), '▁');
  assert.equal(sparkline([]), '');
  assert.equal(sparkline([5, 5]), '▁▁');
});
