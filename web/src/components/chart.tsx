import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import type { Curve } from '../../logic/series.js';
import { themeVersion } from '../state/theme.js';
import { type DrawnChart, drawChart } from './draw-chart.js';

export interface ChartLine {
  readonly key: string;
  readonly label: string;
  /** A variable of the style sheet. */
  readonly colour: string;
  readonly curve: Curve;
  /** Behind the others: what was measured, where another line is smoothed. */
  readonly isFaint?: boolean;
  readonly hasPoints?: boolean;
}

export interface ReferenceLine {
  readonly label: string;
  readonly value: number;
}

export type Range = readonly [number, number];

export interface ChartProps {
  readonly label: string;
  readonly lines: readonly ChartLine[];
  readonly height: number;
  readonly isLogarithmic?: boolean;
  /** In the legend, and in short along the axis. */
  readonly formatX: (x: number) => string;
  readonly formatTickX: (x: number) => string;
  readonly formatY: (y: number) => string;
  /** Charts with the same one move their cursors together. */
  readonly syncKey?: string;
  readonly references?: readonly ReferenceLine[];
  /** The part of the axis in sight; null = all. */
  readonly range: Range | null;
  readonly onRange: (range: Range | null) => void;
  /** The part in sight while it is moved, before it is left there; charts with the same one move together. */
  readonly moved?: Signal<Range | null>;
  /** A line that is to stand out. */
  readonly focusKey?: string | null;
  /** The line that the cursor is near; null = none. */
  readonly onFocus?: (key: string | null) => void;
  readonly showsLegend?: boolean;
}

/** What the cursor points at: the index in each column. */
export interface Pointed {
  readonly x: number;
  readonly values: readonly (number | null | undefined)[];
}

/**
 * Curves over a common axis. Drag to zoom, hold shift to move, double-click for all; by keyboard: + and −, the arrows, Escape.
 * What a curve says is in the legend too, which follows the cursor.
 */
export function Chart(props: ChartProps) {
  const { lines, height, label, showsLegend = true } = props;
  const holder = useRef<HTMLDivElement>(null);
  const drawn = useRef<DrawnChart | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const pointed = useSignal<Pointed | null>(null);
  const ownMoved = useSignal<Range | null>(null);
  const shape = [
    lines.map(({ key, colour, isFaint }) => `${key}:${colour}:${isFaint}`).join(),
    props.isLogarithmic,
    height,
    props.references?.map(({ value }) => value).join(),
    themeVersion.value,
  ].join('|');

  useEffect(() => {
    let isGone = false;
    void import('uplot').then(({ default: Plot }: { default: typeof uPlot }) => {
      if (isGone || !holder.current) return;
      drawn.current = drawChart(
        Plot,
        holder.current,
        () => latest.current,
        props.moved ?? ownMoved,
        (value) => {
          pointed.value = value;
        },
      );
    });
    return () => {
      isGone = true;
      drawn.current?.destroy();
      drawn.current = null;
    };
  }, [shape]);

  useEffect(() => {
    drawn.current?.update();
  }, [lines, props.range, props.focusKey]);

  return (
    <figure class="chart">
      {showsLegend && <Legend {...props} pointed={pointed.value} />}
      <div
        ref={holder}
        class="chart-canvas"
        role="img"
        aria-label={label}
        tabIndex={0}
        style={{ height: `${height}px` }}
        onKeyDown={(event) => drawn.current?.onKey(event)}
      />
    </figure>
  );
}

function Legend({ lines, formatX, formatY, pointed }: ChartProps & { readonly pointed: Pointed | null }) {
  return (
    <figcaption class="legend">
      {lines.map(({ key, label, colour, isFaint, curve }, index) => {
        if (isFaint) return null;
        const value = pointed ? pointed.values[index] : curve.ys.findLast((y) => y !== null);
        return (
          <span key={key} class="legend-entry">
            <span class="legend-line" style={{ background: `var(${colour})` }} aria-hidden="true" />
            {label}
            <b class="number">{value == null ? '–' : formatY(value)}</b>
          </span>
        );
      })}
      {pointed && <span class="faint number">{formatX(pointed.x)}</span>}
    </figcaption>
  );
}
