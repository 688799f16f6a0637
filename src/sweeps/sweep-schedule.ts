/**
 * Decides which trials of a sweep train, and up to which epoch: a simulation of the sweep in which an epoch takes one unit of
 * time, driven by the results of the trainings.
 *
 * Proposals, stops and promotions depend on the results in the order of that simulated time, not on the order in which
 * trainings finish. So a sweep is a deterministic function of its settings: restarts, pauses and load change its duration,
 * never its trials. The cost: a slot may wait for a training that is slower than its epochs
 * suggest.
 */
import type { SweepPoint } from '../contracts/sweep.js';
import type { TrialLimit, TrialPhase } from '../contracts/sweep-record.js';
import { bestValue } from './best-value.js';
import type { Observation, Proposer } from './proposer.js';
import type { JudgedTrial, StoppingRule } from './stopping-rule.js';

/** What a trial's training has reported. */
export interface TrialProgress {
  /** The objective after each epoch; NaN counts as Infinity. */
  readonly values: readonly number[];
  /** Whether it is finished: all epochs done, stopped early by its own config, failed, or cancelled. */
  readonly isOver: boolean;
  readonly hasFailed: boolean;
}

export interface SweepPlan {
  readonly proposer: Proposer;
  readonly rule: StoppingRule;
  /** Epochs of a trial that is never stopped. */
  epochsOf(point: SweepPoint): number;
  /** Maximum trials in parallel. */
  readonly parallel: number;
  /** In the order in which they take effect. */
  readonly limits: readonly TrialLimit[];
}

export interface ScheduledTrial {
  readonly index: number;
  readonly point: SweepPoint;
  readonly phase: TrialPhase;
  /** The target epoch. */
  readonly toEpoch: number;
}

interface Trial {
  readonly index: number;
  readonly point: SweepPoint;
  /** Epochs of the trial if it is never stopped. */
  readonly epochs: number;
  phase: TrialPhase;
  toEpoch: number;
  values: readonly number[];
  hasFailed: boolean;
}

/** Represents the epochs of a finished trial, which ranks above all others. */
export const COMPLETE = Number.MAX_SAFE_INTEGER;

/** A trial that occupies a slot until a simulated time. */
interface Job {
  readonly trial: Trial;
  readonly endsAt: number;
}

export class SweepSchedule {
  readonly #plan: SweepPlan;
  readonly #trials: Trial[] = [];
  #jobs: Job[] = [];
  #clock = 0;
  #rungsJudged = 0;
  #isExhausted = false;

  constructor(plan: SweepPlan) {
    this.#plan = plan;
    this.#fillSlots();
  }

  get trials(): readonly ScheduledTrial[] {
    return this.#trials;
  }

  /** Whether nothing is left to train. */
  get isDone(): boolean {
    return this.#jobs.length === 0;
  }

  /** Whether every point of the space has been tried. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** How often a trial has reached a rung: the time base of limits. */
  get rungsJudged(): number {
    return this.#rungsJudged;
  }

  /** Advances as far as the results allow. Results that have been processed must not change. */
  advance(progressOf: (index: number) => TrialProgress): void {
    for (;;) {
      const job = this.#nextJob();
      if (!job) return;
      const progress = progressOf(job.trial.index);
      if (progress.values.length < job.trial.toEpoch && !progress.isOver) return;
      this.#endJob(job, progress);
      this.#fillSlots();
    }
  }

  /** The job that ends first; ties by start. */
  #nextJob(): Job | undefined {
    return this.#jobs.reduce<Job | undefined>(
      (first, job) => (first && first.endsAt <= job.endsAt ? first : job),
      undefined,
    );
  }

  #endJob(job: Job, progress: TrialProgress): void {
    const { trial } = job;
    this.#jobs = this.#jobs.filter((other) => other !== job);
    this.#clock = job.endsAt;
    this.#rungsJudged += 1;
    trial.values = progress.values
      .slice(0, trial.toEpoch)
      .map((value) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value));
    const isShort = trial.values.length < trial.toEpoch;
    trial.hasFailed = progress.hasFailed && isShort;
    trial.phase = isShort || trial.toEpoch >= trial.epochs ? 'over' : 'waiting';
    if (trial.phase === 'waiting' && this.#plan.rule.goesOn(judged(trial), this.#trials.map(judged)))
      this.#start(trial);
  }

  #fillSlots(): void {
    while (this.#jobs.length < this.#plan.parallel) {
      const promoted = this.#plan.rule.promote(this.#trials.map(judged));
      const trial = promoted === null ? this.#propose() : this.#trials[promoted]!;
      if (!trial) return;
      this.#start(trial);
    }
  }

  #propose(): Trial | null {
    const limit = this.#plan.limits.findLast(({ afterRungs }) => afterRungs <= this.#rungsJudged);
    const index = this.#trials.length;
    if (this.#isExhausted || index >= (limit?.trials ?? 0)) return null;
    const point = this.#plan.proposer.propose(
      index,
      this.#trials.map((trial) => this.#observe(trial)),
    );
    if (point === null) {
      this.#isExhausted = true;
      return null;
    }
    const epochs = this.#plan.epochsOf(point);
    const trial: Trial = { index, point, epochs, phase: 'waiting', toEpoch: 0, values: [], hasFailed: false };
    this.#trials.push(trial);
    return trial;
  }

  #start(trial: Trial): void {
    const from = trial.values.length;
    trial.phase = 'running';
    trial.toEpoch = Math.min(trial.epochs, this.#plan.rule.nextRung(from));
    this.#jobs.push({ trial, endsAt: this.#clock + trial.toEpoch - from });
  }

  #observe({ point, phase, values, hasFailed }: Trial): Observation {
    if (hasFailed) return { point, epochs: values.length, value: Number.POSITIVE_INFINITY };
    if (values.length === 0) return { point, epochs: 0, value: null };
    return {
      point,
      epochs: phase === 'over' ? COMPLETE : values.length, // a trial that ended early is complete too
      value: bestValue(values),
    };
  }
}

function judged({ index, values, phase, hasFailed }: Trial): JudgedTrial {
  return {
    index,
    values: hasFailed ? values.map(() => Number.POSITIVE_INFINITY) : values,
    isRunning: phase === 'running',
    isOver: phase === 'over',
  };
}
