/** One experiment that is followed live: what it is, its curves and its events. */
import { effect, type Signal, signal, untracked } from '@preact/signals';
import type { EventType } from '../../../src/contracts/events.js';
import type { Experiment } from '../../../src/contracts/experiment.js';
import { afterEvent } from '../../logic/after-event.js';
import { isActive } from '../../logic/experiment-actions.js';
import type { LiveEvent } from '../../logic/live-events.js';
import { addEvents, applyEvent, createLiveRun, type LiveRun } from '../../logic/live-run.js';
import { getExperiment, getHistory, getSeries } from '../api/experiments.js';
import { type FollowStatus, followProgress } from '../api/progress-socket.js';
import { experiments, put, withEdits } from './experiments.js';
import { readBaseline } from './list-view.js';

/** All but steps; the type check fails when the server has other types. */
const HISTORY_TYPES = Object.keys({
  queued: true,
  preparing: true,
  started: true,
  epoch: true,
  sample: true,
  checkpoint: true,
  warning: true,
  rollback: true,
  pausing: true,
  paused: true,
  cancelling: true,
  cancelled: true,
  interrupted: true,
  succeeded: true,
  failed: true,
} satisfies Record<Exclude<EventType, 'step'>, true>);
/** Points of a curve that are read at most; where one zooms in, exact ones are read. */
export const MAX_POINTS = 1500;
const SETTLE_MS = 150;
const POLL_MS = 5000;
/** What has no event: somebody elsewhere renames it. */
const REREAD_MS = 30_000;

export interface FollowedRun {
  readonly experiment: Signal<Experiment | null>;
  /** Counts up when its curves or events change. */
  readonly version: Signal<number>;
  readonly status: Signal<FollowStatus>;
  /** When something was last heard, in milliseconds since 1970. */
  readonly heardAt: Signal<number>;
  readonly failure: Signal<unknown>;
  /** Curves and events; mutable, see `version`. */
  live: LiveRun;
  stop(): void;
}

export function followRun(id: string): FollowedRun {
  const abort = new AbortController();
  let stopFollowing = () => {};
  let settle: ReturnType<typeof setTimeout> | undefined;
  let frame = 0;
  let readAt = Date.now();
  const polling = setInterval(() => {
    const isDue = run.status.value === 'ended' || Date.now() - readAt > REREAD_MS; // somebody may have resumed it
    if (isDue && !document.hidden) read();
  }, POLL_MS);

  const run: FollowedRun = {
    experiment: signal(null),
    version: signal(0),
    status: signal('connecting'),
    heardAt: signal(Date.now()),
    failure: signal(null),
    live: createLiveRun(0),
    stop() {
      abort.abort();
      stopHearing();
      stopFollowing();
      clearTimeout(settle);
      clearInterval(polling);
      cancelAnimationFrame(frame);
    },
  };
  // At once, not when the page is drawn again: an event in between would put back what people have changed.
  const stopHearing = effect(() => {
    const known = experiments.value.get(id);
    if (known) untracked(() => hear(known));
  });
  void open();
  return run;

  async function open(): Promise<void> {
    try {
      const experiment = await getExperiment(id, abort.signal);
      take(experiment);
      void readBaseline();
      const [series, history] = await Promise.all([
        getSeries(id, { maxPoints: MAX_POINTS }, abort.signal),
        getHistory(id, HISTORY_TYPES, abort.signal),
      ]);
      const live = createLiveRun(experiment.seq);
      for (const [key, points] of Object.entries(series)) live.series.set(key, points);
      // What came between the answers comes again, by its number.
      addEvents(live, ...history.filter(({ seq }) => seq <= experiment.seq));
      run.live = live;
      run.version.value += 1;
      follow();
    } catch (error) {
      if (!abort.signal.aborted) run.failure.value = error;
    }
  }

  function follow(): void {
    stopFollowing();
    stopFollowing = followProgress(id, {
      since: () => run.live.seq,
      onStatus(status) {
        run.status.value = status;
      },
      onSnapshot(experiment) {
        run.heardAt.value = Date.now();
        take(experiment);
      },
      onEvent,
    });
  }

  function onEvent(event: LiveEvent): void {
    run.heardAt.value = Date.now();
    if (!applyEvent(run.live, event)) return;
    const next = run.experiment.value && afterEvent(run.experiment.value, event);
    if (next) take(next);
    else readSoon();
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      run.version.value += 1;
    });
  }

  /** The event says only that it is another: its state, its error. */
  function readSoon(): void {
    clearTimeout(settle);
    settle = setTimeout(read, SETTLE_MS);
  }

  function read(): void {
    readAt = Date.now();
    getExperiment(id, abort.signal).then(hear, () => {});
  }

  /** Takes over what was read elsewhere, and follows again where it had ended: somebody resumed it. */
  function hear(experiment: Experiment): void {
    take(experiment);
    const present = run.experiment.value;
    if (present) take(withEdits(present, experiment));
    const isBehind = experiment.seq > run.live.seq && isActive(experiment.state);
    if (run.status.value === 'ended' && isBehind) follow();
  }

  function take(experiment: Experiment): void {
    const present = run.experiment.peek();
    if (experiment === present || experiment.seq < (present?.seq ?? 0)) return;
    run.experiment.value = experiment;
    put([experiment]);
  }
}

/** Its events so far; a component that reads them is drawn again when more come. */
export function eventsOf(run: FollowedRun): readonly LiveEvent[] {
  return run.version.value >= 0 ? run.live.events : [];
}
