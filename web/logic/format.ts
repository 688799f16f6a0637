/** Numbers as people read them. What has no value is an en dash. */
const NONE = '–';

type Maybe = number | null | undefined;

const isNumber = (value: Maybe): value is number => typeof value === 'number' && Number.isFinite(value);

/** Perplexities and losses: three or four digits that matter. */
export function formatFigure(value: Maybe): string {
  if (!isNumber(value)) return NONE;
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e6) return value.toExponential(2);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size >= 100) return value.toFixed(1);
  if (size >= 10) return value.toFixed(2);
  if (size >= 0.01) return value.toFixed(3);
  return value.toExponential(2);
}

/** Counts in short: 2,090,400 is 2.09 M. */
export function formatCount(value: Maybe): string {
  if (!isNumber(value)) return NONE;
  if (value < 10_000) return Math.round(value).toLocaleString('en-US');
  const [divisor, unit] = value >= 1e9 ? [1e9, 'G'] : value >= 1e6 ? [1e6, 'M'] : [1e3, 'k'];
  return `${Number((value / divisor).toPrecision(3))} ${unit}`;
}

/** A mark of an axis: as short as it can be. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(0);
  return size >= 10_000 ? formatCount(value) : String(Number(value.toPrecision(4)));
}

/** Bytes in binary units. */
export function formatBytes(value: Maybe): string {
  if (!isNumber(value)) return NONE;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${Number((value / 1024 ** power).toPrecision(3))} ${units[power]}`;
}

export interface DurationUnits {
  readonly day: string;
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
}

/** A length of time in its two largest units. */
export function formatDuration(seconds: Maybe, units: DurationUnits): string {
  if (!isNumber(seconds)) return NONE;
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86_400), units.day],
    [Math.floor(whole / 3600) % 24, units.hour],
    [Math.floor(whole / 60) % 60, units.minute],
    [whole % 60, units.second],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return `0 ${units.second}`;
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** Difference to a baseline, with its sign. */
export function formatDelta(value: Maybe, baseline: Maybe): string | null {
  if (!isNumber(value) || !isNumber(baseline)) return null;
  const difference = value - baseline;
  if (difference === 0) return '±0';
  return `${difference > 0 ? '+' : '−'}${formatFigure(Math.abs(difference))}`;
}

export function formatPercent(fraction: Maybe, digits = 0): string {
  return isNumber(fraction) ? `${(fraction * 100).toFixed(digits)} %` : NONE;
}

/** Day and time of an ISO date, in the language and the time zone of the reader. */
export function formatTime(iso: string | null, language: string): string {
  return iso === null ? NONE : formatDate(iso, language, { dateStyle: 'medium', timeStyle: 'short' });
}

/** The time of day alone, with its seconds. */
export function formatTimeOfDay(iso: string, language: string): string {
  return formatDate(iso, language, { timeStyle: 'medium' });
}

/** Kept: to make one takes longer than to draw a row of a table. */
const dateFormats = new Map<string, Intl.DateTimeFormat>();

function formatDate(iso: string, language: string, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify([language, options]);
  const format = dateFormats.get(key) ?? new Intl.DateTimeFormat(language, options);
  dateFormats.set(key, format);
  return format.format(new Date(iso));
}
