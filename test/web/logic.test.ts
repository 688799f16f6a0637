/** What the dashboard works out without a browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alignCurves, moveRange, nearestValue, scaleRange } from '../../web/logic/chart-data.js';
import { chartSvg, linearTicks, logarithmicTicks } from '../../web/logic/chart-svg.js';
import { compareConfigs } from '../../web/logic/config-difference.js';
import { seriesCsv } from '../../web/logic/csv.js';
import { curlLine } from '../../web/logic/curl.js';
import { eventStreamReader } from '../../web/logic/event-stream.js';
import {
  formatBytes,
  formatCount,
  formatDelta,
  formatDuration,
  formatFigure,
} from '../../web/logic/format.js';
import { applyEvent, createLiveRun } from '../../web/logic/live-run.js';
import { parsePrometheus, sampleValue } from '../../web/logic/prometheus.js';
import { planMove } from '../../web/logic/queue-order.js';
import { hrefOf, parseRoute, type Route } from '../../web/logic/routes.js';
import { cutText } from '../../web/logic/scored-text.js';
import { curveOf, smooth, withExact } from '../../web/logic/series.js';
import { matchSpan, strongestPlaces, unitsOnIn } from '../../web/logic/state-match.js';
import { assignSlots, visibleRows } from '../../web/logic/virtual-rows.js';

const UNITS = { day: 'd', hour: 'h', minute: 'min', second: 's' };

test('an address names a page and gives it back; what is unknown is the list', () => {
  const routes: Route[] = [
    { page: 'experiments' },
    { page: 'experiment', id: '01abc' },
    { page: 'new', fork: 'x y', preset: null },
    { page: 'compare', ids: ['a', 'b'] },
    { page: 'playground', experiment: null },
    { page: 'inspector', experiment: '01abc' },
    { page: 'corpora', name: 'a corpus & more' },
    { page: 'machine' },
  ];
  for (const route of routes) assert.deepEqual(parseRoute(hrefOf(route)), route);
  for (const odd of ['', '#', '#/nothing', '#/%E0%A4%A', '#/experiments/'])
    assert.deepEqual(parseRoute(odd), { page: 'experiments' });
});

test('figures are as long as they need to be', () => {
  assert.deepEqual([5.6789, 75.84, 123.46, 4321.6, 0.004, 3.4e48, 0, null, Number.NaN].map(formatFigure), [
    '5.679',
    '75.84',
    '123.5',
    '4,322',
    '4.00e-3',
    '3.40e+48',
    '0',
    '–',
    '–',
  ]);
  assert.deepEqual([999, 20_904, 2_090_400, 3.2e9].map(formatCount), ['999', '20.9 k', '2.09 M', '3.2 G']);
  assert.deepEqual([0, 1023, 1024, 5e6].map(formatBytes), ['0 B', '1020 B', '1 KiB', '4.77 MiB']);
  const durations = [0, 59.6, 61, 3600, 90_061].map((seconds) => formatDuration(seconds, UNITS));
  assert.deepEqual(durations, ['0 s', '1 min', '1 min 1 s', '1 h', '1 d 1 h']);
  assert.deepEqual(
    [formatDelta(75, 80), formatDelta(80, 75), formatDelta(5, 5), formatDelta(5, null)],
    ['−5.000', '+5.000', '±0', null],
  );
});

test('a place in the queue is reached by priorities, whichever queue and move', () => {
  const startOrder = (queue: readonly { id: string; priority: number; arrival: number }[]) =>
    queue.toSorted((a, b) => b.priority - a.priority || a.arrival - b.arrival).map(({ id }) => id);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 9 }),
      fc.nat(8),
      fc.nat(8),
      (priorities, from, to) => {
        const arrivals = priorities.map((priority, index) => ({ id: `e${index}`, priority, arrival: index }));
        const queue = startOrder(arrivals).map((id, index) => ({
          ...arrivals.find((one) => one.id === id)!,
          queuePosition: index,
        }));
        const moved = queue[from % queue.length]!;
        const place = to % queue.length;
        const changes = planMove(queue, moved.id, place);
        const after = startOrder(
          queue.map((one) => ({ ...one, priority: changes.get(one.id) ?? one.priority })),
        );
        const wanted = queue.map(({ id }) => id).filter((id) => id !== moved.id);
        wanted.splice(place, 0, moved.id);
        assert.deepEqual(after, wanted);
      },
    ),
  );
});

test('of a long table the rows in sight are drawn, and the heights add up', () => {
  const rows = visibleRows(1000, 64, { top: 6400, height: 640 });
  assert.ok(rows.first <= 100 && rows.end >= 110 && rows.end - rows.first < 30);
  assert.equal(rows.before + (rows.end - rows.first) * 64 + rows.after, 64_000);
  const short = visibleRows(3, 64, { top: 500, height: 640 });
  assert.deepEqual([short.first, short.end], [0, 3]);
  const atEnds = [0, 32_000, 64_000].map((top) => visibleRows(1000, 64, { top, height: 640 }));
  assert.equal(new Set(atEnds.map(({ first, end }) => end - first)).size, 1, 'as many everywhere');
  assert.deepEqual([atEnds[0]!.first, atEnds[2]!.end], [0, 1000]);
});

test('a row in sight keeps its slot, and one that comes takes that of one that has left', () => {
  const first = assignSlots(new Map(), ['a', 'b', 'c']);
  assert.deepEqual([...first.values()], [0, 1, 2]);
  const moved = assignSlots(first, ['b', 'c', 'd']);
  assert.deepEqual(
    [...moved],
    [
      ['b', 1],
      ['c', 2],
      ['d', 0],
    ],
  );
  const grown = assignSlots(moved, ['new', 'b', 'c', 'd', 'e']);
  assert.deepEqual([...grown.values()].sort(), [0, 1, 2, 3, 4]);
  assert.equal(grown.get('c'), 2);
});

test('what was read of a part of a curve stands in the place of that part', () => {
  const points = (...steps: number[]) => steps.map((step) => ({ step, epoch: 0, time: '', value: step }));
  const stepsOf = (exact: Parameters<typeof withExact>[1]) =>
    withExact(points(1, 10, 20, 30, 40), exact).map(({ step }) => step);
  assert.deepEqual(stepsOf(points(10, 11, 12, 20)), [1, 10, 11, 12, 20, 30, 40]);
  assert.deepEqual(stepsOf([]), [1, 10, 20, 30, 40]);
  assert.deepEqual(stepsOf(undefined), [1, 10, 20, 30, 40]);
});

test('events are applied once, in order, and a rollback forgets what came after its checkpoint', () => {
  const run = createLiveRun(0);
  const step = (seq: number, at: number) => ({
    seq,
    type: 'step',
    time: '2026-01-01T00:00:00Z',
    data: {
      step: at,
      epoch: at / 10,
      loss: 1,
      trainPerplexity: at,
      learningRate: 1,
      tokensPerSecond: 1,
      gradNorm: null,
    },
  });
  const steps = () => run.series.get('stepPerplexity')!.map((point) => point.step);
  for (const event of [step(1, 10), step(2, 20), step(3, 30)]) assert.ok(applyEvent(run, event));
  assert.equal(applyEvent(run, step(3, 99)), false);
  const rollback = { seq: 4, type: 'rollback', time: '', data: { restored: { epoch: 1, step: 15 } } };
  applyEvent(run, rollback);
  assert.deepEqual(steps(), [10]);
  applyEvent(run, { seq: 5, type: 'started', time: '', data: { resumedFrom: { step: 10 } } });
  assert.deepEqual(steps(), [10]);
  applyEvent(run, { seq: 6, type: 'started', time: '', data: { resumedFrom: null } });
  assert.deepEqual(steps(), []);
  assert.deepEqual(
    run.events.map(({ seq }) => seq),
    [4, 5, 6],
  );
});

test('a live series stays bounded and keeps its highest value', () => {
  const run = createLiveRun(0);
  for (let seq = 1; seq <= 30_000; seq++)
    applyEvent(run, {
      seq,
      type: 'step',
      time: '',
      data: { step: seq, epoch: 0, trainPerplexity: seq === 777 ? 1e6 : seq % 13 },
    });
  const points = run.series.get('stepPerplexity')!;
  assert.ok(points.length <= 12_000);
  assert.ok(points.some(({ value }) => value === 1e6));
  assert.equal(points.at(-1)!.step, 30_000);
});

test('curves of different steps stand on one axis, with gaps where they have no point', () => {
  const columns = alignCurves([
    { xs: [1, 3], ys: [10, 30] },
    { xs: [1, 2, 3], ys: [1, null, 3] },
  ]);
  assert.deepEqual(columns, [
    [1, 2, 3],
    [10, undefined, 30],
    [1, null, 3],
  ]);
  assert.equal(nearestValue([undefined, null, 5], 0), 2);
  assert.equal(nearestValue([null, undefined], 0), null);
  assert.deepEqual(moveRange([2, 4], 5, [0, 10]), [8, 10]);
  assert.equal(scaleRange([2, 8], 10, 5, [0, 10]), null);
  const point = (seconds: number, value: number) => ({
    step: seconds,
    epoch: seconds,
    time: new Date(1000 * seconds).toISOString(),
    value,
  });
  const scale = { origin: 10_000, tokensPerStep: 700 };
  assert.deepEqual(curveOf([point(10, 1), point(12, 2)], 'time', scale).xs, [0, 2]);
  assert.deepEqual(curveOf([point(10, 1), point(12, 2)], 'tokens', scale).xs, [7000, 8400]);
});

test('smoothing begins without a bias, keeps a constant, and steps over what is not finite', () => {
  for (const value of smooth([5, 5, null, 5], 0.9))
    if (value !== null) assert.ok(Math.abs(value - 5) < 1e-12);
  assert.equal(smooth([4, 9], 0)[1], 9);
  assert.equal(smooth([4, null], 0.5)[1], null);
});

test('configs are compared by path', () => {
  const rows = compareConfigs([
    { model: { hiddenSizes: [1, 2] }, seed: 1 },
    { model: { hiddenSizes: [1, 3] }, seed: 1, more: null },
  ]);
  assert.deepEqual(
    rows.filter(({ differs }) => differs).map(({ path, values }) => [path, ...values]),
    [['model.hiddenSizes', '1, 2', '1, 3']],
  );
});

test('a line for curl survives quotes, and has no key in it', () => {
  const line = curlLine({
    method: 'POST',
    address: 'http://h/generate',
    body: { prompt: "it's" },
    needsKey: true,
  });
  assert.match(line, /it'\\''s/);
  assert.match(line, /\$GATELM_KEY/);
});

test('a stream of events is read in whatever pieces it comes', () => {
  const text = ': hello\n\nevent: text\ndata: {"a":1}\n\nevent: done\r\ndata: x\r\ndata: y\r\n\r\n';
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
      const read = eventStreamReader();
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      // A piece is never cut within \r\n: servers of this interface write \n.
      const plain = text.replaceAll('\r\n', '\n');
      const messages = places.slice(1).flatMap((end, index) => read(plain.slice(places[index], end)));
      assert.deepEqual(messages, [
        { event: 'text', data: '{"a":1}' },
        { event: 'done', data: 'x\ny' },
      ]);
    }),
  );
});

test('a text is cut by the bytes of its tokens, whatever its letters', () => {
  const text = 'héé 猫 ok';
  const token = (name: string, start: number, end: number) => ({ token: name, start, end, surprisal: 1 });
  const cut = cutText(text, [token('héé', 0, 5), token('猫', 6, 9), token('ok', 10, 12)]);
  assert.deepEqual(
    cut.map(({ before, text: own }) => [before, own]),
    [
      ['', 'héé'],
      [' ', '猫'],
      [' ', 'ok'],
    ],
  );
});

test('a marked part finds the units that it switched on, and where else they are on', () => {
  const activations = [
    [0, 0, 1, 1, 0, 0, 1, 1],
    [1, 1, 1, 1, 1, 1, 1, 1],
    [0, 0, 1, 1, 0, 0, 1, 0],
  ];
  const units = unitsOnIn(activations, 2, 3, 0.5);
  assert.deepEqual(units, [0, 2]);
  const matches = matchSpan(activations, units, 2, 0.5, 5);
  assert.deepEqual(
    matches.map(({ start, overlap }) => [start, overlap]),
    [
      [2, 1],
      [6, 0.5],
    ],
  );
  assert.deepEqual(strongestPlaces([1, 5, 3], 2), [
    { index: 1, value: 5 },
    { index: 2, value: 3 },
  ]);
});

test('a picture has every line, its marks, and no markup of a name', () => {
  const svg = chartSvg({
    title: 'a <b> & c',
    xLabel: 'step',
    lines: [{ label: 'one', colour: '#123456', curve: { xs: [0, 1, 2], ys: [100, null, 10] } }],
    isLogarithmic: true,
    references: [{ label: 'a paper', value: 50 }],
    range: null,
    formatX: String,
  });
  assert.match(svg, /a &lt;b&gt; &amp; c/);
  assert.match(svg, /<path d="M70 [\d.]+L936 [\d.]+" fill="none" stroke="#123456"/);
  assert.match(svg, /a paper/);
  assert.doesNotMatch(svg, /NaN|Infinity/);
  assert.deepEqual(linearTicks(0, 10), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(logarithmicTicks(10, 200), [10, 20, 50, 100, 200]);
});

test('CSV quotes what it must, and no name becomes a formula', () => {
  const points = [{ step: 1, epoch: 0.5, time: 't', value: null }];
  const csv = seriesCsv([{ run: '=a,"b"', id: 'i', metric: 'm', points }]);
  assert.equal(csv, 'run,id,metric,step,epoch,time,value\r\n"\'=a,""b""",i,m,1,0.5,t,\r\n');
});

test('figures of Prometheus are read by name and label', () => {
  const samples = parsePrometheus('# HELP x y\na_bytes 12\nb{state="run\\"ning",k="v"} 3e2 123\n');
  assert.equal(sampleValue(samples, 'a_bytes'), 12);
  assert.deepEqual(samples[1], { name: 'b', labels: { state: 'run\\"ning', k: 'v' }, value: 300 });
  assert.equal(sampleValue(samples, 'none'), null);
});
