import type { TaskInput } from '../contracts/jobs.js';

/** Connection between a task and its caller. */
export interface TaskContext {
  /** Receives partial results of the task, in order; null = not requested. */
  readonly tell: ((part: unknown) => void) | null;
  /** Returns the next piece of the text that the task reads; null = end of the text. */
  nextInput(): Promise<TaskInput>;
  /** Whether the caller has cancelled the task. */
  isCancelled(): boolean;
}
