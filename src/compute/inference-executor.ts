/**
 * The seam between the service and the processes that hold trained models.
 *
 * Deliberately not here: which experiment is meant and whether it is trained (the service's).
 */
import type {
  EvaluationResult,
  GenerationPart,
  GenerationResult,
  ScoreResult,
} from '../contracts/generation.js';
import type { BackendReport, InferenceTask } from '../contracts/jobs.js';
import type { ExportResult, ImportResult } from '../contracts/transfer.js';

/** What each kind of task answers with. */
export interface InferenceResults {
  readonly generate: GenerationResult;
  readonly score: ScoreResult;
  readonly evaluate: EvaluationResult;
  readonly export: ExportResult;
  readonly import: ImportResult;
}

export type InferenceResultOf<Task extends InferenceTask> = InferenceResults[Task['type']];

export interface RunOptions {
  /** Called with each piece of text, before the result, while a generation runs. */
  readonly onPart?: (part: GenerationPart) => void;
  /** Ends a generation at its next token; it then resolves with what there is. Other tasks run to their end. */
  readonly signal?: AbortSignal;
}

export interface InferenceExecutor {
  /**
   * Runs one task. Rejects with an AppError: `queue-full` beyond the limit, `host-died`, or what the model said.
   */
  run<Task extends InferenceTask>(task: Task, options?: RunOptions): Promise<InferenceResultOf<Task>>;
  /** What the host found when it loaded TensorFlow; null until its first task. */
  backendReport(): BackendReport | null;
  processIds(): readonly number[];
  close(): Promise<void>;
}
