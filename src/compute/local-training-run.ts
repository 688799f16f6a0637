import type { TrainingEvent } from '../contracts/events.js';
import type { StopMode, TrainingOutcome } from '../contracts/jobs.js';
import { createDeferred } from './deferred.js';
import { EventQueue } from './event-queue.js';
import type { TrainingRun } from './training-executor.js';

export interface LocalTrainingRunOptions {
  readonly experimentId: string;
  /** Passes the ask on to the host. */
  readonly requestStop: (mode: StopMode) => void;
  /** Called when the training neither says nor does what it should for too long. */
  readonly giveUp: (cause: string) => void;
  /** Longest time between two events. */
  readonly silenceLimitMs: number;
  /** Longest time between a stop's ask and the end. */
  readonly stopLimitMs: number;
}

/** One training on the local host, seen from the server. */
export class LocalTrainingRun implements TrainingRun {
  readonly experimentId: string;
  readonly #options: LocalTrainingRunOptions;
  readonly #events = new EventQueue<TrainingEvent>();
  readonly #outcome = createDeferred<TrainingOutcome>();
  readonly #silence: NodeJS.Timeout;
  #stopLimit: NodeJS.Timeout | undefined;
  #serverStops = false;
  #isToBlame = false;

  constructor(options: LocalTrainingRunOptions) {
    const { experimentId, silenceLimitMs } = options;
    this.#options = options;
    this.experimentId = experimentId;
    const cause = `experiment ${experimentId} sent no event for ${silenceLimitMs} ms`;
    this.#silence = setTimeout(() => this.#giveUp(cause), silenceLimitMs).unref();
  }

  get events(): AsyncIterable<TrainingEvent> {
    return this.#events;
  }

  get outcome(): Promise<TrainingOutcome> {
    return this.#outcome.promise;
  }

  stop(mode: StopMode): void {
    const { experimentId, requestStop, stopLimitMs } = this.#options;
    this.#serverStops = false;
    requestStop(mode);
    const cause = `experiment ${experimentId} did not stop within ${stopLimitMs} ms`;
    this.#stopLimit ??= setTimeout(() => this.#giveUp(cause), stopLimitMs).unref();
  }

  kill(): void {
    this.#giveUp(`experiment ${this.experimentId} was killed`);
  }

  /** Whether its host is killed because of it. */
  get isToBlame(): boolean {
    return this.#isToBlame;
  }

  /** Asks it to write a checkpoint and end, because the server ends: not a pause that anybody asked for. */
  stopForServer(): void {
    if (this.#stopLimit) return; // asked already, and the ask stands
    this.#serverStops = true;
    this.#options.requestStop('pause');
  }

  noteEvent(event: TrainingEvent): void {
    this.#silence.refresh();
    this.#events.push(event);
  }

  finish(outcome: TrainingOutcome): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#stopLimit);
    this.#events.end();
    const interrupted = this.#serverStops && outcome.type === 'stopped';
    this.#outcome.resolve(interrupted ? { type: 'interrupted', reason: SERVER_STOPS } : outcome);
  }

  #giveUp(cause: string): void {
    this.#isToBlame = true;
    this.#options.giveUp(cause);
  }
}

/** Why a run that was open when the server was asked to end is interrupted. */
export const SERVER_STOPS = 'the server was stopped; the training goes on from its checkpoint';
