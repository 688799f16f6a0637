import { effect, signal } from '@preact/signals';
import type { HorizontalAxis } from '../../logic/series.js';
import { readSetting, writeSetting } from './settings.js';

/** How curves are shown, on all pages alike. */
export interface ChartView {
  readonly axis: HorizontalAxis;
  readonly isLogarithmic: boolean;
  /** Weight of the past, from 0 to below 1. */
  readonly smoothing: number;
}

const DEFAULT: ChartView = { axis: 'step', isLogarithmic: true, smoothing: 0.8 };

function saved(): ChartView {
  try {
    return { ...DEFAULT, ...(JSON.parse(readSetting('chart') ?? '{}') as Partial<ChartView>) };
  } catch {
    return DEFAULT;
  }
}

export const chartView = signal<ChartView>(saved());

effect(() => writeSetting('chart', JSON.stringify(chartView.value)));

export function changeChart(change: Partial<ChartView>): void {
  chartView.value = { ...chartView.value, ...change };
}
