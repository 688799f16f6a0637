/** Small curves of the experiments in sight: read when a row comes to rest in sight, and longer after each epoch. */
import { type Signal, signal } from '@preact/signals';
import type { Experiment } from '../../../src/contracts/experiment.js';
import { getSeries } from '../api/experiments.js';

const POINTS = 48;
const AT_ONCE = 3;
const FRESH_MS = 4000;
/** What is known of each epoch from the list is added; now and then all is read again, with what was missed. */
const REREAD_MS = 60_000;
/** Rows that go past are not read. */
const REST_MS = 150;
const MAX_WAITING = 30;

interface Entry {
  readonly curve: Signal<readonly number[] | null>;
  seq: number;
  readAt: number;
  /** The last one in the curve; null while the curve is one of steps. */
  epoch: number | null;
  /** Asks when the curve is no longer fresh. */
  later?: ReturnType<typeof setTimeout>;
}

const entries = new Map<string, Entry>();
const waiting = new Map<string, Experiment>();
let atWork = 0;
let rest: ReturnType<typeof setTimeout> | undefined;
let isMoving = false;

/** The perplexities of an experiment; null until they were read. */
export function sparklineOf(experiment: Experiment): Signal<readonly number[] | null> {
  let entry = entries.get(experiment.id);
  if (!entry) {
    entry = { curve: signal(null), seq: -1, readAt: 0, epoch: null };
    entries.set(experiment.id, entry);
  }
  clearTimeout(entry.later);
  const freshMs = entry.readAt + FRESH_MS - Date.now();
  if (freshMs <= 0) ask(entry, experiment);
  // Of an experiment that has ended nothing comes that would ask again.
  else if (entry.seq !== experiment.seq) entry.later = setTimeout(() => ask(entry, experiment), freshMs);
  return entry.curve;
}

function ask(entry: Entry, experiment: Experiment): void {
  if (entry.seq === experiment.seq) return;
  waiting.delete(experiment.id);
  waiting.set(experiment.id, experiment); // what was asked for last stays longest
  if (waiting.size > MAX_WAITING) waiting.delete(waiting.keys().next().value!);
  clearTimeout(rest);
  isMoving = true;
  rest = setTimeout(() => {
    isMoving = false;
    work();
  }, REST_MS);
}

function work(): void {
  while (atWork < AT_ONCE && !isMoving) {
    const [id, experiment] = waiting.entries().next().value ?? [];
    if (!id || !experiment) return;
    waiting.delete(id);
    if (extend(entries.get(id)!, experiment)) continue;
    atWork += 1;
    void read(experiment).finally(() => {
      atWork -= 1;
      work();
    });
  }
}

/** Adds the latest epoch. @returns false where the curve has to be read */
function extend(entry: Entry, { seq, latest: { epoch, validPerplexity } }: Experiment): boolean {
  const curve = entry.curve.value;
  const isKnown = curve !== null && curve.length < 2 * POINTS && Date.now() - entry.readAt < REREAD_MS;
  if (!isKnown || entry.epoch === null || epoch === null || epoch < entry.epoch) return false;
  if (epoch > entry.epoch && validPerplexity !== null) entry.curve.value = [...curve, validPerplexity];
  entry.epoch = epoch;
  entry.seq = seq;
  return true;
}

async function read({ id, seq }: Experiment): Promise<void> {
  const entry = entries.get(id)!;
  entry.readAt = Date.now();
  try {
    const series = await getSeries(id, { keys: ['validPerplexity', 'stepPerplexity'], maxPoints: POINTS });
    const valid = series.validPerplexity ?? [];
    const steps = series.stepPerplexity ?? [];
    const isByEpoch = valid.length >= 3 || steps.length < 2;
    entry.curve.value = (isByEpoch ? valid : steps).flatMap(({ value }) => value ?? []);
    entry.epoch = isByEpoch ? (valid.at(-1)?.epoch ?? null) : null;
    entry.seq = seq;
  } catch {
    // It stays as it was; the next look tries again.
  }
}
