/** What one knows of an experiment that is followed: its events, applied in order, each once. */

import type { MetricPoint } from '../../src/contracts/metrics.js';
import { keepExtremesOfSteps } from '../../src/experiments/keep-extremes.js';
import { EVENT_METRICS, type LiveEvent } from './live-events.js';
import { appendPoint, rewindPoints } from './series.js';

/** Points of a series that are kept while it grows; then its extremes alone stay. From near, the exact ones are read. */
const MAX_LIVE_POINTS = 1500;
const THINNED_POINTS = 1000;
/** Events that are kept, the latest ones: the server has all. */
export const KEPT_SAMPLES = 50;
const KEPT_OTHERS = 500;

export interface LiveRun {
  /** Number of the last event that was applied. */
  seq: number;
  readonly series: Map<string, MetricPoint[]>;
  /** The latest ones, without steps, oldest first. */
  readonly events: LiveEvent[];
  /** Of all texts, also of those that are not kept. */
  sampleCount: number;
}

export function createLiveRun(seq: number): LiveRun {
  return { seq, series: new Map(), events: [], sampleCount: 0 };
}

/** @returns false for an event that was applied before */
export function applyEvent(run: LiveRun, event: LiveEvent): boolean {
  if (event.seq <= run.seq) return false;
  run.seq = event.seq;
  if (event.type !== 'step') addEvents(run, event);
  const rewindTo = rewindStepOf(event);
  if (rewindTo !== null) for (const points of run.series.values()) rewindPoints(points, rewindTo);
  addPoints(run, event);
  return true;
}

export function addEvents(run: LiveRun, ...added: readonly LiveEvent[]): void {
  run.events.push(...added);
  run.sampleCount += added.filter(isSample).length;
  let samples = 0;
  let others = 0;
  const kept = run.events
    .toReversed()
    .filter((event) => (isSample(event) ? ++samples <= KEPT_SAMPLES : ++others <= KEPT_OTHERS));
  run.events.splice(0, Infinity, ...kept.toReversed());
}

const isSample = ({ type }: LiveEvent) => type === 'sample';

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
    if (points.length > MAX_LIVE_POINTS)
      run.series.set(key, [...keepExtremesOfSteps(points, THINNED_POINTS)]);
  }
}

function isCheckpoint(value: unknown): value is { step: number } {
  return typeof value === 'object' && value !== null && 'step' in value && typeof value.step === 'number';
}
