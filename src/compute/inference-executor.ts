/**
 * The seam between the service and the processes that hold trained models.
 *
 * Deliberately not here: which experiment is meant and whether it is trained (the service's).
 */
import type { WebSocket } from 'ws';
import type { z } from 'zod';
import type { GenerationPart } from '../contracts/generation.js';
import type { InferencerReport } from '../contracts/inferencer.js';
import type { BackendReport, InferenceResults, InferenceTask, TASK_PARTS } from '../contracts/jobs.js';
import type { HostStats } from './host-stats.js';

/** The result of a type of task. */
export type InferenceResultOf<Task extends InferenceTask> = InferenceResults[Task['type']];

/** The parts that a type of task sends while it runs. */
export type InferencePartOf<Task extends InferenceTask> = Task['type'] extends keyof typeof TASK_PARTS
  ? z.infer<(typeof TASK_PARTS)[Task['type']]>
  : never;

export interface RunOptions<Part = GenerationPart> {
  /** Called with each part before the result, in order. The next piece of input is requested when it has resolved. */
  readonly onPart?: (part: Part) => unknown;
  /** A streamed text, for tasks that read one. The task rejects with the errors that it throws. */
  readonly input?: AsyncIterator<string, unknown, undefined>;
  /**
   * Ends a generation at its next token; it then resolves with the text so far. Tasks that read a text reject with `cancelled`
   * after their current step; exports and imports are not interrupted.
   */
  readonly signal?: AbortSignal;
}

export interface InferenceExecutor {
  /**
   * Runs one task. Rejects with an AppError: `queue-full` beyond the limit, `host-died`, or an error of the task.
   */
  run<Task extends InferenceTask>(
    task: Task,
    options?: RunOptions<InferencePartOf<Task>>,
  ): Promise<InferenceResultOf<Task>>;
  /** The backend of the host; null until its first task. */
  backendReport(): BackendReport | null;
  /** Why the last host could not load TensorFlow; null = it could, or has not tried yet. */
  unusableReason(): string | null;
  /** Statistics of its processes on this machine, if any. */
  hostStats?(): HostStats;
  /** Takes the connection of an inferencer, if it can use some. */
  admit?(socket: WebSocket): void;
  /** The inferencers that take tasks. */
  inferencers?(): readonly InferencerReport[];
  close(): Promise<void>;
}
