/** Log lines as the detector and its baseline read them. */

export interface LogLine {
  /** Whether somebody marked it; null where the log has no labels. */
  readonly alert: boolean | null;
  /** What the model reads. */
  readonly text: string;
}

export interface LogFormat {
  /** The first column labels alerts, `-` = none; it is left out of the text. */
  readonly labelled: boolean;
  /** Columns after it that are left out: times, places. */
  readonly skip: number;
}

/** Numbers tell one event from another, not one kind of event from another: each becomes 0. */
export function parseLogLine(line: string, { labelled, skip }: LogFormat): LogLine {
  const columns = line.split(' ');
  const alert = labelled ? columns.shift() !== '-' : null;
  const text = columns
    .slice(skip)
    .join(' ')
    .replace(/0x[0-9a-f]+|\d+/gi, '0');
  return { alert, text };
}

export interface Judged {
  readonly alert: boolean;
  readonly score: number;
}

/** What flagging everything above a threshold gives. */
export function precisionAndRecall(lines: readonly Judged[], threshold: number) {
  const flagged = lines.filter(({ score }) => score > threshold);
  const hits = flagged.filter(({ alert }) => alert).length;
  const alerts = lines.filter(({ alert }) => alert).length;
  return { flagged: flagged.length, hits, precision: hits / flagged.length || 0, recall: hits / alerts };
}

/** Precision where each alert is found, from the highest score down, averaged: 1 = all alerts come first. Ties come at once. */
export function averagePrecision(lines: readonly Judged[]): number {
  const sorted = lines.toSorted((a, b) => b.score - a.score);
  let [hits, tiedHits, sum] = [0, 0, 0];
  sorted.forEach(({ alert, score }, index) => {
    if (alert) tiedHits += 1;
    if (sorted[index + 1]?.score === score) return;
    hits += tiedHits;
    sum += (tiedHits * hits) / (index + 1);
    tiedHits = 0;
  });
  return sum / hits;
}

/** The score that this part of the lines does not exceed. */
export function quantile(scores: readonly number[], part: number): number {
  const sorted = scores.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** The baseline: how seldom a line came before, as −ln of its share, and beyond all where it never did. */
export function countBaseline(known: readonly string[]): (line: string) => number {
  const counts = new Map<string, number>();
  for (const line of known) counts.set(line, (counts.get(line) ?? 0) + 1);
  return (line) => -Math.log(((counts.get(line) ?? 0) + 0.5) / (known.length + 1));
}
