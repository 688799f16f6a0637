import { effect, type Signal, untracked } from '@preact/signals';
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { alignCurves, moveRange, nearestValue, scaleRange } from '../../logic/chart-data.js';
import { formatTick } from '../../logic/format.js';
import { colourOf } from '../state/theme.js';
import type { ChartProps, Pointed, Range } from './chart.js';
import { drawReferences } from './draw-references.js';
import { type MovingPicture, openMovingPicture } from './moving-picture.js';

/** A chart on a canvas; what it shows comes from the properties at each moment, and while it is moved from `moved`. */
export interface DrawnChart {
  /** Takes over new points, another range, another focus. */
  update(): void;
  onKey(event: KeyboardEvent): void;
  destroy(): void;
}

const FONT = '12px ui-sans-serif, system-ui, sans-serif';
const LINE_WIDTH = 1.8;
const POINT_LIMIT = 80;

export function drawChart(
  Plot: typeof uPlot,
  holder: HTMLElement,
  read: () => ChartProps,
  moved: Signal<Range | null>,
  onPoint: (pointed: Pointed | null) => void,
): DrawnChart {
  let isUpdating = false;
  let shown = read().lines;
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const options = optionsOf();
  const plot = new Plot(options, columns(), holder);
  let picture: MovingPicture | null = null;
  const stopMoving = effect(() => {
    const range = moved.value;
    if (!range) return; // `update` comes with the range at which it was left
    picture ??= untracked(() => openMovingPicture(Plot, plot, options));
    picture.show(range);
  });
  const observer = new ResizeObserver(() => resize());
  observer.observe(holder);
  plot.over.addEventListener('dblclick', () => read().onRange(null));
  plot.over.addEventListener('wheel', onWheel, { passive: false });
  plot.over.addEventListener('mousedown', onPress, { capture: true });
  holder.dataset.drawn = isStill ? 'still' : 'true';

  function columns(): uPlot.AlignedData {
    return alignCurves(read().lines.map(({ curve }) => curve)) as uPlot.AlignedData;
  }

  function optionsOf(): uPlot.Options {
    const { lines, formatTickX, isLogarithmic, syncKey, height } = read();
    const faint = colourOf('--text-faint');
    const grid = { stroke: colourOf('--grid'), width: 1 };
    const axis: uPlot.Axis = {
      stroke: faint,
      font: FONT,
      grid,
      ticks: { show: false },
    };
    return {
      width: holder.clientWidth,
      height,
      padding: [10, 10, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: (_plot, min, max) => rangeOf(min, max) },
        y: isLogarithmic ? { distr: 3, log: 10 } : {},
      },
      axes: [
        { ...axis, values: (_plot, ticks) => ticks.map(formatTickX), space: 70, size: 32 },
        {
          ...axis,
          values: (_plot, ticks) => ticks.map((tick) => (tick === null ? '' : formatTick(tick))),
          size: 62,
          ...(isLogarithmic && {
            filter: logarithmicTicks,
            grid: { ...grid, filter: logarithmicTicks },
          }),
        },
      ],
      cursor: {
        ...(syncKey !== undefined && { sync: { key: syncKey } }),
        drag: { x: true, y: false, setScale: false },
        focus: { prox: 24 },
        points: { size: 7 },
        dataIdx: (plot, series, index) =>
          series === 0 ? index : (nearestValue(plot.data[series] as (number | null)[], index) ?? index),
      },
      focus: { alpha: 0.25 },
      series: [
        {},
        ...lines.map(({ label, colour, isFaint, hasPoints, curve }): uPlot.Series => {
          const stroke = colourOf(colour);
          return {
            label,
            stroke,
            width: isFaint ? 1 : LINE_WIDTH,
            alpha: isFaint ? 0.32 : 1,
            spanGaps: true,
            points: { show: hasPoints === true && curve.xs.length <= POINT_LIMIT, size: 6, fill: stroke },
          };
        }),
      ],
      hooks: {
        setCursor: [showPointed],
        setSelect: [zoom],
        setSeries: [onSeries],
        draw: [(drawn) => drawReferences(drawn, read().references ?? [], faint)],
      },
    };
  }

  /** A log axis is labelled at few places; without this, every tenth of a decade is. */
  function logarithmicTicks(plot: uPlot, splits: number[]): (number | null)[] {
    const { min = 1, max = 1 } = plot.scales.y!;
    const decades = Math.log10(max / min);
    return splits.map((split) => {
      const digit = Math.round(split / 10 ** Math.floor(Math.log10(split) + 1e-6));
      return decades < 0.8 || digit === 1 || (decades < 2.5 && (digit === 2 || digit === 5)) ? split : null;
    });
  }

  function rangeOf(min: number, max: number): [number, number] {
    const { range } = read();
    if (range) return [range[0], range[1]];
    return min === max ? [min - 0.5, max + 0.5] : [min, max];
  }

  function extent(): [number, number] {
    const [xs] = plot.data;
    return [xs[0] ?? 0, xs.at(-1) ?? 1];
  }

  function present(): Range {
    const { min, max } = plot.scales.x!;
    return [min ?? 0, max ?? 1];
  }

  /** The cursor came near a line, or left it. */
  function onSeries(_plot: uPlot, series: number | null): void {
    if (isUpdating) return;
    const { lines, onFocus } = read();
    onFocus?.(series === null ? null : (lines[series - 1]?.key ?? null));
  }

  function zoom({ select }: uPlot): void {
    if (select.width < 4) return;
    const start = plot.posToVal(select.left, 'x');
    const end = plot.posToVal(select.left + select.width, 'x');
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    read().onRange([start, end]);
  }

  function onWheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    const centre = plot.posToVal(plot.cursor.left ?? 0, 'x');
    read().onRange(scaleRange(present(), event.deltaY > 0 ? 1.25 : 0.8, centre, extent()));
  }

  function onPress(event: MouseEvent): void {
    if (!event.shiftKey) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    const start = present();
    const whole = extent();
    const { clientWidth } = plot.over;
    const onMove = (move: MouseEvent) => {
      move.stopPropagation(); // the cursor stays
      moved.value = moveRange(start, (event.clientX - move.clientX) / clientWidth, whole);
    };
    addEventListener('mousemove', onMove, { capture: true });
    const end = () => {
      removeEventListener('mousemove', onMove, { capture: true });
      const range = moved.value;
      moved.value = null;
      if (range) read().onRange(range);
    };
    addEventListener('mouseup', end, { once: true });
  }

  function onKey(event: KeyboardEvent): void {
    const range = present();
    const centre = (range[0] + range[1]) / 2;
    const next = {
      '+': () => scaleRange(range, 0.7, centre, extent()),
      '-': () => scaleRange(range, 1.4, centre, extent()),
      ArrowLeft: () => moveRange(range, -0.2, extent()),
      ArrowRight: () => moveRange(range, 0.2, extent()),
      Escape: () => null,
      '0': () => null,
    }[event.key === '=' ? '+' : event.key];
    if (!next) return;
    event.preventDefault();
    read().onRange(next());
  }

  function showPointed({ cursor, data }: uPlot): void {
    const index = cursor.idx;
    if (index == null) {
      onPoint(null);
      return;
    }
    const values = data.slice(1).map((column, line) => column[cursor.idxs?.[line + 1] ?? index]);
    onPoint({ x: data[0][index]!, values });
  }

  function resize(): void {
    const { clientWidth } = holder;
    if (!moved.peek() && clientWidth > 0 && clientWidth !== plot.width)
      plot.setSize({ width: clientWidth, height: read().height });
  }

  return {
    update() {
      if (moved.peek()) return; // it comes when it is at rest
      const { focusKey, lines } = read();
      if (lines !== shown) plot.setData(columns(), true);
      else {
        // The same points from elsewhere: aligning the curves anew would take longer than drawing them.
        const [min, max] = rangeOf(...extent());
        plot.setScale('x', { min, max });
      }
      shown = lines;
      const focused = lines.findIndex(({ key }) => key === focusKey);
      isUpdating = true;
      plot.setSeries(focused === -1 ? (null as unknown as number) : focused + 1, { focus: true });
      isUpdating = false;
      picture?.remove();
      picture = null;
    },
    onKey,
    destroy() {
      stopMoving();
      observer.disconnect();
      plot.destroy();
    },
  };
}
