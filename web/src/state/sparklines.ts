/** Small curves of the experiments in sight: read when a row comes into sight, and again while it trains. */
import { type Signal, signal } from '@preact/signals';
import type { Experiment } from '../../../src/contracts/experiment.js';
import { getSeries } from '../api/experiments.js';

const POINTS = 48;
const AT_ONCE = 3;
const FRESH_MS = 4000;

interface Entry {
  readonly curve: Signal<readonly number[] | null>;
  seq: number;
  readAt: number;
}

const entries = new Map<string, Entry>();
const waiting = new Map<string, Experiment>();
let atWork = 0;

/** The perplexities of an experiment; null until they were read. */
export function sparklineOf(experiment: Experiment): Signal<readonly number[] | null> {
  let entry = entries.get(experiment.id);
  if (!entry) {
    entry = { curve: signal(null), seq: -1, readAt: 0 };
    entries.set(experiment.id, entry);
  }
  const isStale = entry.seq !== experiment.seq && Date.now() - entry.readAt > FRESH_MS;
  if (isStale) {
    waiting.set(experiment.id, experiment);
    work();
  }
  return entry.curve;
}

function work(): void {
  while (atWork < AT_ONCE) {
    const [id, experiment] = waiting.entries().next().value ?? [];
    if (!id || !experiment) return;
    waiting.delete(id);
    atWork += 1;
    void read(experiment).finally(() => {
      atWork -= 1;
      work();
    });
  }
}

async function read({ id, seq }: Experiment): Promise<void> {
  const entry = entries.get(id)!;
  entry.readAt = Date.now();
  try {
    const series = await getSeries(id, { keys: ['validPerplexity', 'stepPerplexity'], maxPoints: POINTS });
    const valid = series.validPerplexity ?? [];
    const steps = series.stepPerplexity ?? [];
    const points = valid.length >= 3 || steps.length < 2 ? valid : steps;
    entry.curve.value = points.flatMap(({ value }) => value ?? []);
    entry.seq = seq;
  } catch {
    // It stays as it was; the next look tries again.
  }
}
