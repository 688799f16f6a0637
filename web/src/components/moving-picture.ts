import type uPlot from 'uplot';
import type { Range } from './chart.js';

/** What a chart shows while it is moved: drawn once, wider than the chart, and then only moved along. */
export interface MovingPicture {
  show(range: Range): void;
  remove(): void;
}

/** Widths of the chart that are drawn ahead at either side. */
const AHEAD = 1;

/**
 * Lies over the lines of a chart. To draw tens of thousands of points takes longer than a frame may; to move a picture does not.
 * The scale of the values stays as it is until the chart is at rest and drawn anew.
 * @param options of the chart
 */
export function openMovingPicture(Plot: typeof uPlot, chart: uPlot, options: uPlot.Options): MovingPicture {
  const { width, left } = chart.over.style;
  const pixels = chart.over.clientWidth;
  const frame = document.createElement('div');
  frame.className = 'chart-moving';
  Object.assign(frame.style, { width, left });
  const { min: bottom = 0, max: top = 1 } = chart.scales.y!;
  let centre = rangeOf(chart);
  const picture = new Plot(
    {
      ...options,
      width: pixels * (1 + 2 * AHEAD),
      padding: [options.padding?.[0] ?? 0, 0, 0, 0],
      scales: {
        x: { ...options.scales?.x, range: () => ahead(centre) },
        y: { ...options.scales?.y, range: () => [bottom, top] },
      },
      axes: options.axes!.map((axis, index) => (index === 1 ? { ...axis, size: 0, values: () => [] } : axis)),
      cursor: { show: false },
      hooks: { draw: options.hooks!.draw! },
    },
    chart.data,
    frame,
  );
  chart.root.querySelector('.u-wrap')!.append(frame);

  return {
    show(range) {
      let offset = shift(range);
      if (Math.abs(offset) > AHEAD) {
        centre = range;
        const [min, max] = ahead(range);
        picture.setScale('x', { min, max });
        offset = 0;
      }
      picture.root.style.transform = `translateX(${(offset - AHEAD) * pixels}px)`;
    },
    remove() {
      picture.destroy();
      frame.remove();
    },
  };

  /** By how many widths the picture is moved. */
  function shift([start, end]: Range): number {
    return (centre[0] - start) / (end - start);
  }
}

function ahead([start, end]: Range): [number, number] {
  const by = AHEAD * (end - start);
  return [start - by, end + by];
}

function rangeOf({ scales }: uPlot): Range {
  const { min, max } = scales.x!;
  return [min ?? 0, max ?? 1];
}
