import type { SweepRecord, SweepState } from '../../contracts/sweep-record.js';
import type { ExtendSweepBody, Sweep } from '../../contracts/sweep-view.js';
import { appError } from '../../errors.js';
import type { Corpora } from '../corpora.js';
import { assertRoomOnDisk } from '../disk-quota.js';
import { newExperimentId } from '../experiment-id.js';
import { trialsWithin } from './build-schedule.js';
import { checkSweep } from './check-sweep.js';
import { findSweep } from './find-sweep.js';
import type { SweepDependencies } from './sweep-dependencies.js';
import { SweepRunner } from './sweep-runner.js';
import { viewSweep } from './view-sweep.js';

/** Maximum number of running or paused sweeps. */
const MAX_OPEN = 100;

type Verb = 'pause' | 'resume' | 'cancel' | 'extend' | 'delete';

/** The states in which each verb has an effect, and those in which it is a no-op because it was requested before. */
const VERBS: Readonly<
  Record<Verb, { readonly acts: readonly SweepState[]; readonly done: readonly SweepState[] }>
> = {
  pause: { acts: ['running'], done: ['paused'] },
  resume: { acts: ['paused'], done: ['running'] },
  cancel: { acts: ['running', 'paused', 'finished'], done: ['cancelled'] },
  extend: { acts: ['running', 'paused', 'finished'], done: [] },
  delete: { acts: ['finished', 'cancelled'], done: [] },
};

/** All sweeps of this server: creates and runs them, and carries out their verbs. Verbs take an id or a name. */
export class Sweeps {
  readonly #dependencies: SweepDependencies & { readonly corpora: Corpora };
  readonly #runners = new Map<string, SweepRunner>();

  constructor(dependencies: SweepDependencies & { readonly corpora: Corpora }) {
    this.#dependencies = dependencies;
  }

  /** Continues the sweeps of an earlier server process. */
  recover(): void {
    const { sweeps } = this.#dependencies.store;
    for (const sweep of [...sweeps.withState('running'), ...sweeps.withState('paused')]) this.#run(sweep);
  }

  /**
   * Stores a sweep and starts it.
   * @throws validation-failed, corpus-not-found, queue-full, disk-quota-exceeded
   */
  async create(body: unknown): Promise<Sweep> {
    const { store, sweepLog, corpora, environment, folder } = this.#dependencies;
    const input = await checkSweep(corpora, body);
    const open = store.sweeps.withState('running').length + store.sweeps.withState('paused').length;
    if (open >= MAX_OPEN) throw appError('queue-full', { what: 'The number of sweeps', limit: MAX_OPEN });
    await assertRoomOnDisk(folder, environment);
    const sweep = store.transaction(() => {
      const { id } = store.sweeps.insert({
        id: newExperimentId(),
        name: input.name,
        input,
        trialLimits: [{ afterRungs: 0, trials: trialsWithin(input) }],
        state: 'running',
        createdAt: new Date().toISOString(),
      });
      return sweepLog.record(id, { type: 'started', data: {} })!;
    });
    this.#run(sweep);
    return viewSweep(store, sweep);
  }

  /**
   * Pauses all its experiments; none of its trials is lost.
   * @throws sweep-not-found, sweep-state-conflict
   */
  pause(idOrName: string): Sweep {
    return this.#change(idOrName, 'pause', ({ id }) =>
      this.#dependencies.sweepLog.record(id, { type: 'paused', data: {} }, { state: 'paused' }),
    );
  }

  /** @throws sweep-not-found, sweep-state-conflict */
  resume(idOrName: string): Sweep {
    return this.#change(idOrName, 'resume', ({ id }) =>
      this.#dependencies.sweepLog.record(id, { type: 'resumed', data: {} }, { state: 'running' }),
    );
  }

  /**
   * Cancels it with all its unfinished experiments.
   * @throws sweep-not-found, sweep-state-conflict
   */
  cancel(idOrName: string): Sweep {
    const endedAt = new Date().toISOString();
    return this.#change(idOrName, 'cancel', ({ id }) =>
      this.#dependencies.sweepLog.record(
        id,
        { type: 'cancelled', data: {} },
        { state: 'cancelled', reason: null, endedAt },
      ),
    );
  }

  /**
   * Raises its limits; a finished one continues.
   * @throws sweep-not-found, sweep-state-conflict
   */
  extend(idOrName: string, more: ExtendSweepBody): Sweep {
    return this.#change(idOrName, 'extend', (sweep) => {
      const { limits } = sweep.input;
      const experiments = limits.experiments + (more.experiments ?? 0);
      const maxDuration =
        more.maxDuration === undefined
          ? limits.maxDuration
          : (limits.maxDuration ?? sweep.runningMs / 1000) + more.maxDuration;
      const input = { ...sweep.input, limits: { ...limits, experiments, maxDuration } };
      const afterRungs = this.#runnerOf(sweep).rungsJudged;
      const state = sweep.state === 'finished' ? 'running' : sweep.state;
      this.#stop(sweep.id);
      return this.#dependencies.sweepLog.record(
        sweep.id,
        { type: 'extended', data: { experiments, maxDuration } },
        {
          input,
          trialLimits: [...sweep.trialLimits, { afterRungs, trials: trialsWithin(input) }],
          state,
          reason: null,
          endedAt: null,
        },
      );
    });
  }

  /**
   * Deletes a sweep that has ended; its experiments are kept.
   * @throws sweep-not-found, sweep-state-conflict
   */
  delete(idOrName: string): void {
    const { store, sweepLog } = this.#dependencies;
    const sweep = findSweep(store, idOrName);
    this.#isNeeded('delete', sweep);
    store.sweeps.delete(sweep.number);
    sweepLog.bus.end(sweep.id);
  }

  /** Stops deciding. The trainings belong to the scheduler. */
  close(): void {
    for (const id of [...this.#runners.keys()]) this.#stop(id);
  }

  #change(idOrName: string, verb: Verb, change: (sweep: SweepRecord) => SweepRecord | undefined): Sweep {
    const { store } = this.#dependencies;
    const sweep = findSweep(store, idOrName);
    if (!this.#isNeeded(verb, sweep)) return viewSweep(store, sweep);
    const changed = change(sweep) ?? sweep;
    this.#runnerOf(changed).wake();
    return viewSweep(store, changed);
  }

  #isNeeded(verb: Verb, { id, state }: SweepRecord): boolean {
    const { acts, done } = VERBS[verb];
    if (acts.includes(state)) return true;
    if (done.includes(state)) return false;
    throw appError('sweep-state-conflict', { sweep: id, state, verb, allowed: acts.join(', ') });
  }

  #runnerOf(sweep: SweepRecord): SweepRunner {
    const runner = this.#runners.get(sweep.id);
    return runner && !runner.isClosed ? runner : this.#run(sweep);
  }

  #run(sweep: SweepRecord): SweepRunner {
    const runner = new SweepRunner(this.#dependencies, sweep);
    this.#runners.set(sweep.id, runner);
    return runner;
  }

  #stop(id: string): void {
    this.#runners.get(id)?.close();
    this.#runners.delete(id);
  }
}
