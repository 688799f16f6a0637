/**
 * The seam between the service and the compute: whoever runs trainings implements this. One implementation is the local
 * host process; another hands the same jobs to other machines through a queue.
 *
 * Deliberately not here: the order of the queue, states, retries and storage (the service's); tensors and files (the
 * worker's); processes, their memory and their ids (a host's own).
 */
import type { BackendReport, RunEvent, StopMode, TrainingJob, TrainingOutcome } from '../contracts/jobs.js';
import type { MachineRequirements } from '../contracts/machine.js';
import type { ClusterStats } from './cluster-stats.js';
import type { HostStats } from './host-stats.js';

/**
 * Who may speak for an experiment: the holder of its latest attempt. The service gives the numbers, and refuses events and
 * checkpoints of an older one (a fencing token), so that a training that was thought dead does no harm.
 */
export interface Lease {
  readonly experimentId: string;
  readonly attempt: number;
}

/** One training under way. */
export interface TrainingRun extends Lease {
  /** Every event in order, numbered from 1 without gaps; ends when the training has ended. To be iterated once. */
  readonly events: AsyncIterable<RunEvent>;
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
  /** Whether trainings go on when the server ends, to be attached to by the next one. */
  readonly outlivesServer?: boolean;
  /**
   * How many trainings may run side by side; changes where machines come and go.
   * @param required of these only on machines that have it
   */
  capacity(required?: MachineRequirements): number;
  /** Calls the listener when {@link capacity} has changed. */
  onCapacity?(listener: () => void): void;
  /** Starts a training; the caller respects {@link capacity}. Rejects when it was not taken. */
  submit(job: TrainingJob): Promise<TrainingRun>;
  /**
   * A training that was submitted by a server before this one and may still be under way.
   * @param since number of the last event that was recorded
   * @returns null when it cannot be
   */
  attach(lease: Lease, since: number): TrainingRun | null;
  /** What the host found when it loaded TensorFlow; null until it has. */
  backendReport(): BackendReport | null;
  /** Why its last host could not load TensorFlow; null = it could, or has not tried yet. */
  unusableReason(): string | null;
  /** Of the processes on this machine, if there are any. */
  hostStats?(): HostStats;
  /** Where trainings go to other machines. */
  clusterStats?(): ClusterStats;
  /** Lets go of all runs; those that end with this process become `interrupted`. Idempotent. */
  close(): Promise<void>;
}
