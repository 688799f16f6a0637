import type { MetricPoint } from '../../src/contracts/metrics.js';

export interface CsvSeries {
  readonly run: string;
  readonly id: string;
  readonly metric: string;
  readonly points: readonly MetricPoint[];
}

/** Points of several runs as comma-separated values (RFC 4180). */
export function seriesCsv(series: readonly CsvSeries[]): string {
  const rows = series.flatMap(({ run, id, metric, points }) =>
    points.map(({ step, epoch, time, value }) =>
      [run, id, metric, step, epoch, time, value ?? ''].map(cell).join(','),
    ),
  );
  return `${['run,id,metric,step,epoch,time,value', ...rows].join('\r\n')}\r\n`;
}

function cell(value: string | number): string {
  const text = String(value);
  // A name that a spreadsheet would read as a formula is text.
  const safe = typeof value === 'string' && /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
