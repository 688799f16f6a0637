import { TrainingEvent } from '../contracts/events.js';
import type { RunEvent, StopMode, TrainingOutcome } from '../contracts/jobs.js';
import { appError } from '../errors.js';
import { createDeferred } from './deferred.js';
import { EventQueue } from './event-queue.js';
import type { TrainingRun } from './training-executor.js';

export interface LocalTrainingRunOptions {
  readonly experimentId: string;
  readonly attempt: number;
  /** Sends the request to the host. */
  readonly requestStop: (mode: StopMode) => void;
  /** Called if the training sends no event or does not stop for too long. */
  readonly giveUp: (cause: string) => void;
  /** Maximum time between two events. */
  readonly silenceLimitMs: number;
  /** Maximum time from a stop request to the end. */
  readonly stopLimitMs: number;
}

/** One training on the local host, as seen by the server. */
export class LocalTrainingRun implements TrainingRun {
  readonly experimentId: string;
  readonly attempt: number;
  readonly #options: LocalTrainingRunOptions;
  readonly #events = new EventQueue<RunEvent>();
  readonly #outcome = createDeferred<TrainingOutcome>();
  readonly #silence: NodeJS.Timeout;
  #stopLimit: NodeJS.Timeout | undefined;
  #serverStops = false;
  #isToBlame = false;
  #lastSeq = 0;
  #violation: string | null = null;

  constructor(options: LocalTrainingRunOptions) {
    const { experimentId, attempt, silenceLimitMs } = options;
    this.#options = options;
    this.experimentId = experimentId;
    this.attempt = attempt;
    const cause = `experiment ${experimentId} sent no event for ${silenceLimitMs} ms`;
    this.#silence = setTimeout(() => this.#giveUp(cause), silenceLimitMs).unref();
  }

  get events(): AsyncIterable<readonly RunEvent[]> {
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

  /** Whether its host was killed because of it. */
  get isToBlame(): boolean {
    return this.#isToBlame;
  }

  /** Stops it with a checkpoint because the server is stopping; unlike a requested pause, it resumes automatically. */
  stopForServer(): void {
    if (this.#stopLimit) return; // a stop was requested already
    this.#serverStops = true;
    this.#options.requestStop('pause');
  }

  /** Takes an event as it came from the process. An invalid event fails the training. */
  noteEvent(message: unknown): void {
    this.#silence.refresh();
    const event = TrainingEvent.safeParse(message);
    if (event.success) {
      if (this.#violation === null) this.#events.push({ seq: ++this.#lastSeq, event: event.data });
      return;
    }
    this.#violation ??= event.error.message;
    this.stop('cancel');
  }

  finish(outcome: TrainingOutcome): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#stopLimit);
    this.#events.end();
    this.#outcome.resolve(this.#judge(outcome));
  }

  #judge(outcome: TrainingOutcome): TrainingOutcome {
    if (this.#violation !== null) {
      const message = `The training sent an invalid event: ${this.#violation}`;
      return { type: 'failed', error: { ...appError('internal').toJSON(), message } };
    }
    if (this.#serverStops && outcome.type === 'stopped') return { type: 'interrupted', reason: SERVER_STOPS };
    return outcome;
  }

  #giveUp(cause: string): void {
    this.#isToBlame = true;
    this.#options.giveUp(cause);
  }
}

/** The reason of runs that are interrupted because the server stops. */
export const SERVER_STOPS = 'the server was stopped; the training continues from its checkpoint';
