/**
 * The seam between the service and the compute: whoever runs trainings implements this. The first implementation is
 * the local host process; a second may take the same jobs from a queue to other machines.
 *
 * Deliberately not here: queueing, states, retries and storage (the service's), tensors and files (the worker's).
 */
import type { TrainingEvent } from '../contracts/events.js';
import type { BackendReport, StopMode, TrainingJob, TrainingOutcome } from '../contracts/jobs.js';

/** One submitted training. */
export interface TrainingRun {
  readonly experimentId: string;
  /** Every event in order; ends when the training has ended. To be iterated once. */
  readonly events: AsyncIterable<TrainingEvent>;
  /** Settles after the last event; never rejects. A dead host is the outcome `interrupted`. */
  readonly outcome: Promise<TrainingOutcome>;
  /** Asks the training to stop at its next step; a second, stronger ask (cancel after pause) overrides. */
  stop(mode: StopMode): void;
  /**
   * Ends it now, whatever it does, with its host: without a checkpoint, with the outcome `interrupted`. Others that train in the
   * same host are bystanders.
   */
  kill(): void;
}

export interface TrainingExecutor {
  /** How many trainings run side by side at most. */
  readonly slots: number;
  /** Starts at once; the caller respects {@link slots}. */
  submit(job: TrainingJob): TrainingRun;
  /** What the host found when it loaded TensorFlow; null until it has. */
  backendReport(): BackendReport | null;
  /** Why its last host could not load TensorFlow; null = it could, or has not tried yet. */
  unusableReason(): string | null;
  /** Process ids that it holds, for health and metrics. */
  processIds(): readonly number[];
  /** Resident memory of these processes at their last heartbeat. */
  residentBytes(): number;
  /** Ends the host; runs that still go become `interrupted`. Idempotent. */
  close(): Promise<void>;
}
