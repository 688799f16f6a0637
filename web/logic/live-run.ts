/** What one knows of an experiment that is followed: its events, applied in order, each once. */

import type { MetricPoint } from '../../src/contracts/metrics.js';
import { keepExtremes } from '../../src/experiments/keep-extremes.js';
import { EVENT_METRICS, type LiveEvent } from './live-events.js';
import { appendPoint, rewindPoints } from './series.js';

/** Points of a series that are kept while it grows; then its extremes alone stay. */
const MAX_LIVE_POINTS = 12_000;
const THINNED_POINTS = 6000;

export interface LiveRun {
  /** Number of the last event that was applied. */
  seq: number;
  readonly series: Map<string, MetricPoint[]>;
  /** All but steps, oldest first. */
  readonly events: LiveEvent[];
}

export function createLiveRun(seq: number): LiveRun {
  return { seq, series: new Map(), events: [] };
}

/** @returns false for an event that was applied before */
export function applyEvent(run: LiveRun, event: LiveEvent): boolean {
  if (event.seq <= run.seq) return false;
  run.seq = event.seq;
  if (event.type !== 'step') run.events.push(event);
  const rewindTo = rewindStepOf(event);
  if (rewindTo !== null) for (const points of run.series.values()) rewindPoints(points, rewindTo);
  addPoints(run, event);
  return true;
}

/** The step that a training went back to. */
function rewindStepOf({ type, data }: LiveEvent): number | null {
  const point = type === 'started' ? data.resumedFrom : type === 'rollback' ? data.restored : null;
  if (type === 'started' && point === null) return -1;
  return isCheckpoint(point) ? point.step : null;
}

function addPoints(run: LiveRun, { type, time, data }: LiveEvent): void {
  const keys = EVENT_METRICS[type];
  if (!keys) return;
  const { step, epoch } = data;
  if (typeof step !== 'number' || typeof epoch !== 'number') return;
  for (const [field, key] of Object.entries(keys)) {
    const value = data[field];
    if (typeof value !== 'number' && value !== null) continue;
    const points = run.series.get(key) ?? [];
    run.series.set(key, points);
    appendPoint(points, { step, epoch, time, value });
    if (points.length > MAX_LIVE_POINTS) run.series.set(key, [...keepExtremes(points, THINNED_POINTS)]);
  }
}

function isCheckpoint(value: unknown): value is { step: number } {
  return typeof value === 'object' && value !== null && 'step' in value && typeof value.step === 'number';
}
