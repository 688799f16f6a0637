/**
 * The interface between the service and the compute that runs trainings. One implementation is the local
 * host process; another sends the same jobs to other machines through a queue.
 *
 * Deliberately not here: the order of the queue, states, retries and storage (the service's); tensors and files (the
 * worker's); processes, their memory and their ids (a host's own).
 */
import type { BackendReport, RunEvent, StopMode, TrainingJob, TrainingOutcome } from '../contracts/jobs.js';
import type { MachineRequirements } from '../contracts/machine.js';
import type { ClusterStats } from './cluster-stats.js';
import type { HostStats } from './host-stats.js';

/**
 * The right to report on an experiment, held by its latest attempt. The service issues the numbers, and refuses events and
 * checkpoints of older attempts (a fencing token), so that a training that was assumed dead does no harm.
 */
export interface Lease {
  readonly experimentId: string;
  readonly attempt: number;
}

/** A running training. */
export interface TrainingRun extends Lease {
  /** All events in order, numbered from 1 without gaps, in batches as they arrive; ends with the training. Can be iterated once. */
  readonly events: AsyncIterable<readonly RunEvent[]>;
  /** Settles after the last event; never rejects. The crash of a host is the outcome `interrupted`. */
  readonly outcome: Promise<TrainingOutcome>;
  /** Requests a stop at the next step; a stronger request (cancel after pause) overrides an earlier one. */
  stop(mode: StopMode): void;
  /**
   * Kills it immediately with its host: without a checkpoint, with the outcome `interrupted`. Other trainings in the
   * same host are bystanders.
   */
  kill(): void;
}

export interface TrainingExecutor {
  /** Whether trainings outlive the server, so that the next one can attach to them. */
  readonly outlivesServer?: boolean;
  /**
   * How many trainings may run in parallel; changes as machines join and leave.
   * @param required of these only on machines that have it
   */
  capacity(required?: MachineRequirements): number;
  /** Registers a listener for changes of {@link capacity}. */
  onCapacity?(listener: () => void): void;
  /** Starts a training; the caller respects {@link capacity}. Rejects if it was not accepted. */
  submit(job: TrainingJob): Promise<TrainingRun>;
  /**
   * Attaches to a training that an earlier server process submitted and that may still be running.
   * @param since number of the last event that was recorded
   * @returns null if that is not possible
   */
  attach(lease: Lease, since: number): TrainingRun | null;
  /** The backend of the host; null until it has loaded TensorFlow. */
  backendReport(): BackendReport | null;
  /** Why its last host could not load TensorFlow; null = it could, or has not tried yet. */
  unusableReason(): string | null;
  /** Statistics of its processes on this machine, if any. */
  hostStats?(): HostStats;
  /** Where trainings go to other machines. */
  clusterStats?(): ClusterStats;
  /** Releases all runs; those that end with this process become `interrupted`. Idempotent. */
  close(): Promise<void>;
}
