/** A search space for the proposers: numbers as places in [0, 1], choices as indices. */
import type { Dimension, SettingValue, SweepPoint, SweepSpace } from '../contracts/sweep.js';

/** When a setting applies: for each path one of the values, as JSON. */
type Condition = readonly (readonly [path: string, values: ReadonlySet<string>])[];

export interface ChoiceSetting {
  readonly kind: 'choice';
  readonly path: string;
  readonly condition: Condition;
  readonly values: readonly SettingValue[];
  indexOf(value: SettingValue): number;
}

export interface NumberSetting {
  readonly kind: 'number';
  readonly path: string;
  readonly condition: Condition;
  /** Number of values of an integer setting; null for a continuous one. */
  readonly count: number | null;
  /** The values of a grid. */
  gridValues(): readonly number[];
  /** The value at a place in [0, 1]. */
  valueAt(place: number): number;
  /** The places of a value: an interval for an integer, a single place for a continuous value. */
  cellOf(value: number): readonly [from: number, to: number];
}

export type Setting = ChoiceSetting | NumberSetting;

/** Significant digits of a proposed continuous number. */
const SIGNIFICANT_DIGITS = 5;

/** The settings of a space; settings on which others depend come first. */
export function createSearchSpace(space: SweepSpace): readonly Setting[] {
  const settings = Object.entries(space).map(([path, dimension]) => createSetting(path, dimension));
  const ordered: Setting[] = [];
  const place = (setting: Setting) => {
    if (ordered.includes(setting)) return;
    for (const [path] of setting.condition) {
      const parent = settings.find((other) => other.path === path);
      if (parent) place(parent);
    }
    ordered.push(setting);
  };
  for (const setting of settings) place(setting);
  return ordered;
}

/**
 * Builds a point setting by setting; only settings that apply get a value.
 * @param choose returns the value of a setting that applies
 */
export function buildPoint(
  settings: readonly Setting[],
  choose: (setting: Setting, index: number) => SettingValue,
): SweepPoint {
  const point: Record<string, SettingValue> = {};
  settings.forEach((setting, index) => {
    if (applies(setting, point)) point[setting.path] = choose(setting, index);
  });
  return point;
}

/** Whether a setting applies, given the values of the settings before it. */
export function applies({ condition }: Setting, point: SweepPoint): boolean {
  return condition.every(
    ([path, values]) => Object.hasOwn(point, path) && values.has(JSON.stringify(point[path])),
  );
}

/** A key that is equal for equal points, whatever the order of their settings. */
export function pointKey(settings: readonly Setting[], point: SweepPoint): string {
  return JSON.stringify(settings.map(({ path }) => point[path] ?? null));
}

function createSetting(path: string, dimension: Dimension): Setting {
  const condition = Object.entries(dimension.when ?? {}).map(
    ([parent, values]) => [parent, new Set(values.map((value) => JSON.stringify(value)))] as const,
  );
  switch (dimension.type) {
    case 'choice':
      return choice(path, condition, dimension.values);
    case 'uniform':
      return continuous(path, condition, dimension, { to: (value) => value, from: (value) => value });
    case 'log-uniform':
      return continuous(path, condition, dimension, { to: Math.log, from: Math.exp });
    case 'integer':
      return integer(path, condition, dimension);
    default:
      return dimension satisfies never;
  }
}

function choice(path: string, condition: Condition, values: readonly SettingValue[]): ChoiceSetting {
  const indices = new Map(values.map((value, index) => [JSON.stringify(value), index]));
  return {
    kind: 'choice',
    path,
    condition,
    values,
    indexOf: (value) => indices.get(JSON.stringify(value)) ?? 0,
  };
}

interface Scale {
  to(value: number): number;
  from(scaled: number): number;
}

function continuous(
  path: string,
  condition: Condition,
  { low, high, levels }: { readonly low: number; readonly high: number; readonly levels: number },
  scale: Scale,
): NumberSetting {
  const [bottom, top] = [scale.to(low), scale.to(high)];
  const valueAt = (place: number) => {
    const value = scale.from(bottom + place * (top - bottom));
    return Math.min(high, Math.max(low, Number(value.toPrecision(SIGNIFICANT_DIGITS))));
  };
  return {
    kind: 'number',
    path,
    condition,
    count: low === high ? 1 : null,
    gridValues: () => [...new Set(evenly(levels).map(valueAt))],
    valueAt,
    cellOf: (value) => {
      const place = top === bottom ? 0.5 : (scale.to(value) - bottom) / (top - bottom);
      return [place, place];
    },
  };
}

function integer(
  path: string,
  condition: Condition,
  { low, high, step, scale, levels }: Extract<Dimension, { type: 'integer' }>,
): NumberSetting {
  const count = Math.floor((high - low) / step) + 1;
  const last = low + (count - 1) * step;
  const scaled = scale === 'log' ? Math.log : (value: number) => value;
  const unscaled = scale === 'log' ? Math.exp : (value: number) => value;
  const [bottom, top] = [scaled(low - step / 2), scaled(last + step / 2)]; // low > step / 2 where the scale is log
  const placeOf = (value: number) => (scaled(value) - bottom) / (top - bottom);
  const valueAt = (place: number) => {
    const steps = Math.round((unscaled(bottom + place * (top - bottom)) - low) / step);
    return low + step * Math.min(count - 1, Math.max(0, steps));
  };
  return {
    kind: 'number',
    path,
    condition,
    count,
    gridValues: () => {
      if (levels === null) return Array.from({ length: count }, (_, index) => low + index * step);
      const [first, range] = [placeOf(low), placeOf(last) - placeOf(low)];
      return [...new Set(evenly(levels).map((place) => valueAt(first + place * range)))];
    },
    valueAt,
    cellOf: (value) => [placeOf(value - step / 2), placeOf(value + step / 2)],
  };
}

/** Equidistant places from 0 to 1; a single one is 0.5. */
function evenly(levels: number): readonly number[] {
  if (levels === 1) return [0.5];
  return Array.from({ length: levels }, (_, level) => level / (levels - 1));
}
