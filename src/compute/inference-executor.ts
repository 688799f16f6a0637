/**
 * The seam between the service and the processes that hold trained models.
 *
 * Deliberately not here: which experiment is meant and whether it is trained (the service's).
 */
import type { z } from 'zod';
import type { GenerationPart } from '../contracts/generation.js';
import type { BackendReport, InferenceResults, InferenceTask, TASK_PARTS } from '../contracts/jobs.js';
import type { HostStats } from './host-stats.js';

/** What a kind of task answers with. */
export type InferenceResultOf<Task extends InferenceTask> = InferenceResults[Task['type']];

/** What each kind of task says while it runs. */
export type InferencePartOf<Task extends InferenceTask> = Task['type'] extends keyof typeof TASK_PARTS
  ? z.infer<(typeof TASK_PARTS)[Task['type']]>
  : never;

export interface RunOptions<Part = GenerationPart> {
  /** Called with each part before the result, in order. The next piece of input is asked for when it has resolved. */
  readonly onPart?: (part: Part) => unknown;
  /** A text that is read while it comes, by tasks that do so. What it throws, the task rejects with. */
  readonly input?: AsyncIterator<string, unknown, undefined>;
  /**
   * Ends a generation at its next token; it then resolves with what there is. What reads a text rejects with `cancelled`
   * after its present step; exports and imports run to their end.
   */
  readonly signal?: AbortSignal;
}

export interface InferenceExecutor {
  /**
   * Runs one task. Rejects with an AppError: `queue-full` beyond the limit, `host-died`, or what the model said.
   */
  run<Task extends InferenceTask>(
    task: Task,
    options?: RunOptions<InferencePartOf<Task>>,
  ): Promise<InferenceResultOf<Task>>;
  /** What the host found when it loaded TensorFlow; null until its first task. */
  backendReport(): BackendReport | null;
  /** Why its last host could not load TensorFlow; null = it could, or has not tried yet. */
  unusableReason(): string | null;
  /** Of the processes on this machine, if there are any. */
  hostStats?(): HostStats;
  close(): Promise<void>;
}
