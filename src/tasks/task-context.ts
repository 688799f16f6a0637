import type { TaskInput } from '../contracts/jobs.js';

/** What connects a task with whoever waits for its result. */
export interface TaskContext {
  /** Takes what the task says while it runs, in order; null = nobody listens. */
  readonly tell: ((part: unknown) => void) | null;
  /** Asks for the next piece of the text that the task reads; null = it has ended. */
  nextInput(): Promise<TaskInput>;
  /** Whether nobody waits for the result any more. */
  isCancelled(): boolean;
}
