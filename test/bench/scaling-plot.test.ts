import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawScaling } from '../../bench/scaling-plot.js';

const axes = [
  {
    name: 'threads',
    sizes: [1, 2],
    rates: { 'gatelm float32': [1000, 2000], 'PyTorch float32': [800, 1500] },
  },
  { name: 'steps T', sizes: [5, 35, 140], rates: { 'gatelm float32': [900, 1500, 1600] } },
];

test('draws a panel an axis and a line a mode, faster above slower', () => {
  const svg = drawScaling(axes);
  const lines = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) => points!.split(' '));
  assert.deepEqual(
    lines.map((points) => points.length),
    [2, 2, 3],
  );
  const [slow, fast] = lines[0]!.map((point) => Number(point.split(',')[1]));
  assert.ok(fast! < slow!, 'twice as fast is higher up, where y is smaller');
  assert.match(svg, /tokens\/s over threads/);
  assert.match(svg, /tokens\/s over steps T/);
});
