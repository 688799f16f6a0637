import type { EventType } from '../../contracts/events.js';
import type { SweepEndReason, SweepRecord } from '../../contracts/sweep-record.js';
import { AppError } from '../../errors.js';
import type { SweepSchedule } from '../../sweeps/sweep-schedule.js';
import { trialProgress } from '../../sweeps/trial-progress.js';
import { buildSchedule } from './build-schedule.js';
import { collectResults } from './collect-results.js';
import { isEvaluating } from './is-evaluating.js';
import { recordTrials } from './record-trials.js';
import { runsByTrial } from './runs-by-trial.js';
import { steerTrials } from './steer-trials.js';
import type { SweepDependencies } from './sweep-dependencies.js';

/** Events of an experiment after which its sweep may have something to decide. */
const DECISIVE: ReadonlySet<EventType> = new Set([
  'epoch',
  'paused',
  'succeeded',
  'failed',
  'cancelled',
  'interrupted',
]);
const NOT_STORED_YET = { values: [], isOver: false, hasFailed: false };
/** Time between two attempts to store decisions. */
const RETRY_MS = 5000;
/** Maximum duration of a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs one sweep: collects the results of its trainings, asks the schedule for decisions, and carries them out. All its
 * state is in the store, so that another runner can continue.
 */
export class SweepRunner {
  readonly #dependencies: SweepDependencies;
  readonly #id: string;
  readonly #schedule: SweepSchedule;
  readonly #subscriptions = new Map<string, () => void>();
  #wakeUp: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Until when its running time is counted; null while it is paused. */
  #countedUntil: number | null = null;
  #isClosed = false;

  constructor(dependencies: SweepDependencies, { id, number, input, trialLimits }: SweepRecord) {
    this.#dependencies = dependencies;
    this.#id = id;
    const known = dependencies.store.sweeps.trials(number).map(({ point }) => point);
    this.#schedule = buildSchedule(input, trialLimits, known);
    this.#advanceSchedule(number);
    this.wake();
  }

  /** The point from which a new limit of trials applies. */
  get rungsJudged(): number {
    return this.#schedule.rungsJudged;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Schedules a decision after the caller has finished. */
  wake(): void {
    if (this.#isClosed) return;
    this.#wakeUp ??= setImmediate(() => {
      this.#wakeUp = undefined;
      this.#decideOrRetry();
    });
  }

  /** Stops deciding; the trainings are not touched. */
  close(): void {
    this.#isClosed = true;
    if (this.#wakeUp) clearImmediate(this.#wakeUp);
    clearTimeout(this.#timer);
    for (const unsubscribe of this.#subscriptions.values()) unsubscribe();
    this.#subscriptions.clear();
  }

  #decideOrRetry(): void {
    try {
      this.#decide();
    } catch (error) {
      const level = error instanceof AppError && error.kind !== 'internal' ? 'warn' : 'error';
      this.#dependencies.logger[level](
        { err: error, sweepId: this.#id },
        'a sweep cannot continue at the moment',
      );
      this.#wakeAfter(RETRY_MS);
    }
  }

  #decide(): void {
    const { store } = this.#dependencies;
    const sweep = store.sweeps.find(this.#id);
    if (!sweep) {
      this.close();
      return;
    }
    store.transaction(() => {
      collectResults(store, sweep);
      this.#countTime(sweep);
    });
    if (sweep.state === 'running') this.#advance(sweep);
    const after = store.sweeps.find(this.#id)!;
    this.#follow(after);
    steerTrials(this.#dependencies, after);
    if (after.state === 'finished' || after.state === 'cancelled') this.close();
  }

  /** Lets the schedule decide, and stores the decisions. */
  #advance(sweep: SweepRecord): void {
    const { store } = this.#dependencies;
    for (let hasMore = true; hasMore; ) {
      this.#advanceSchedule(sweep.number);
      hasMore = recordTrials(this.#dependencies, store.sweeps.find(this.#id) ?? sweep, this.#schedule);
    }
    const { maxDuration } = sweep.input.limits;
    const remainingMs =
      maxDuration === null ? Number.POSITIVE_INFINITY : maxDuration * 1000 - this.#runningMs();
    const isOutOfTime = remainingMs <= 0;
    if (this.#schedule.isDone && (isOutOfTime || !this.#isEvaluating(sweep.number)))
      this.#finish(this.#schedule.isExhausted ? 'space' : 'experiments');
    else if (isOutOfTime) this.#finish('time');
    else if (maxDuration !== null) this.#wakeAfter(remainingMs);
  }

  /** Advances the schedule as far as the stored results allow. */
  #advanceSchedule(number: number): void {
    const { store } = this.#dependencies;
    const trials = store.sweeps.trials(number);
    const runs = runsByTrial(store, number);
    this.#schedule.advance((index) =>
      index < trials.length ? trialProgress(runs.get(index) ?? []) : NOT_STORED_YET,
    );
  }

  #isEvaluating(number: number): boolean {
    const { sweeps } = this.#dependencies.store;
    const trials = sweeps.trials(number);
    return sweeps.runs(number).some((run) => isEvaluating(trials[run.trial]!, run));
  }

  #finish(reason: SweepEndReason): void {
    const { store, sweepLog } = this.#dependencies;
    const { bestTrial, bestValue } = store.sweeps.find(this.#id)!;
    const endedAt = new Date().toISOString();
    sweepLog.record(
      this.#id,
      { type: 'finished', data: { reason, bestTrial, bestValue } },
      { state: 'finished', reason, endedAt },
    );
  }

  #runningMs(): number {
    return this.#dependencies.store.sweeps.find(this.#id)?.runningMs ?? 0;
  }

  #countTime({ number, state, runningMs }: SweepRecord): void {
    const now = Date.now();
    if (this.#countedUntil !== null)
      this.#dependencies.store.sweeps.update(number, { runningMs: runningMs + now - this.#countedUntil });
    this.#countedUntil = state === 'running' ? now : null;
  }

  /** Subscribes to the events of unfinished experiments. */
  #follow({ number }: SweepRecord): void {
    const { store, bus } = this.#dependencies;
    const open = store.sweeps.runs(number).filter(({ outcome }) => outcome === null);
    const wanted = new Set(open.map(({ experimentId }) => experimentId));
    for (const [id, unsubscribe] of this.#subscriptions) {
      if (wanted.has(id)) continue;
      unsubscribe();
      this.#subscriptions.delete(id);
    }
    for (const id of wanted) {
      if (this.#subscriptions.has(id)) continue;
      const unsubscribe = bus.subscribe(id, (published) => {
        if (published === null || DECISIVE.has(published.event.type)) this.wake();
      });
      this.#subscriptions.set(id, unsubscribe);
    }
  }

  #wakeAfter(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.wake(), Math.min(MAX_TIMER_MS, Math.ceil(ms))).unref();
  }
}
