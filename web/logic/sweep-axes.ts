/** Trials of a sweep as lines over one axis a setting, and a last one for what they came to. */
import type { Sweep, SweepTrial } from '../../src/contracts/sweep-view.js';

export interface SweepAxis {
  /** Path of the setting; null = the objective. */
  readonly path: string | null;
  /** Values with their places on the axis, from 0 to 1. */
  readonly marks: readonly { readonly text: string; readonly place: number }[];
  /** Where a trial is, from 0 to 1; null where the setting does not apply, or there is no value yet. */
  placeOf(trial: SweepTrial): number | null;
}

type Dimension = Sweep['space'][string];

/** @param formatNumber short */
export function sweepAxes(
  space: Sweep['space'],
  trials: readonly SweepTrial[],
  formatNumber: (value: number) => string,
): SweepAxis[] {
  const settings = Object.entries(space).map(([path, dimension]) => {
    const settingOf = (trial: SweepTrial) => trial.point[path];
    return dimension.type === 'choice'
      ? choiceAxis(path, dimension.values, settingOf)
      : numberAxis(path, [dimension.low, dimension.high], isLogarithmic(dimension), settingOf, formatNumber);
  });
  const values = trials.flatMap(({ value }) => value ?? []);
  const ends: [number, number] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [0, 1];
  return [...settings, numberAxis(null, ends, false, ({ value }) => value, formatNumber)];
}

function isLogarithmic(dimension: Exclude<Dimension, { type: 'choice' }>): boolean {
  return dimension.type === 'log-uniform' || (dimension.type === 'integer' && dimension.scale === 'log');
}

function choiceAxis(
  path: string,
  values: readonly unknown[],
  settingOf: (trial: SweepTrial) => unknown,
): SweepAxis {
  const texts = values.map((value) => settingText(value));
  const place = (index: number) => (texts.length === 1 ? 0.5 : index / (texts.length - 1));
  return {
    path,
    marks: texts.map((text, index) => ({ text, place: place(index) })),
    placeOf(trial) {
      const index = texts.indexOf(settingText(settingOf(trial)));
      return index === -1 ? null : place(index);
    },
  };
}

function numberAxis(
  path: string | null,
  [low, high]: readonly [number, number],
  logarithmic: boolean,
  settingOf: (trial: SweepTrial) => unknown,
  formatNumber: (value: number) => string,
): SweepAxis {
  const scaled = (value: number) => (logarithmic ? Math.log(value) : value);
  const width = scaled(high) - scaled(low);
  const middle = logarithmic ? Math.sqrt(low * high) : (low + high) / 2;
  return {
    path,
    marks: [low, middle, high].map((value, index) => ({ text: formatNumber(value), place: index / 2 })),
    placeOf(trial) {
      const value = settingOf(trial);
      if (typeof value !== 'number') return null;
      return width === 0 ? 0.5 : Math.max(0, Math.min(1, (scaled(value) - scaled(low)) / width));
    },
  };
}

/** A value of a setting as a person reads it. */
export function settingText(value: unknown): string {
  if (value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The best first; those without a value last. */
export function byValue(trials: readonly SweepTrial[]): SweepTrial[] {
  return [...trials].sort((a, b) => (a.value ?? Infinity) - (b.value ?? Infinity) || a.trial - b.trial);
}
