import type { InferencerReport } from '../../contracts/inferencer.js';
import type { InferenceTask, ModelReference } from '../../contracts/jobs.js';
import type {
  InferenceExecutor,
  InferencePartOf,
  InferenceResultOf,
  RunOptions,
} from '../inference-executor.js';

/** Models that are remembered; a machine keeps fewer in memory. */
const MAX_MODELS = 100;

/** A machine that runs inference tasks, and what the choice among machines depends on. */
export class InferenceMachine {
  readonly #described: Omit<InferencerReport, 'active'>;
  readonly #executor: { readonly run: InferenceExecutor['run'] };
  /** Digest of the model that it used last, by experiment; least recently used first. */
  readonly #models = new Map<string, string>();
  #active = 0;

  constructor(
    { id, hostname, slots }: Omit<InferencerReport, 'active'>,
    executor: { readonly run: InferenceExecutor['run'] },
  ) {
    this.#described = { id, hostname, slots };
    this.#executor = executor;
  }

  get id(): string {
    return this.#described.id;
  }

  get report(): InferencerReport {
    return { ...this.#described, active: this.#active };
  }

  get hasFreeSlot(): boolean {
    return this.#active < this.#described.slots;
  }

  /** Tasks per slot. */
  get load(): number {
    return this.#active / this.#described.slots;
  }

  /** Whether it used the model lately. */
  hasLoaded({ experimentId, digest }: ModelReference): boolean {
    return this.#models.get(experimentId) === digest;
  }

  async run<Task extends InferenceTask>(
    task: Task,
    options: RunOptions<InferencePartOf<Task>>,
  ): Promise<InferenceResultOf<Task>> {
    this.#active += 1;
    if ('model' in task && typeof task.model === 'object') this.#remember(task.model);
    try {
      return await this.#executor.run(task, options);
    } finally {
      this.#active -= 1;
    }
  }

  #remember({ experimentId, digest }: ModelReference): void {
    this.#models.delete(experimentId);
    this.#models.set(experimentId, digest);
    if (this.#models.size > MAX_MODELS) this.#models.delete(this.#models.keys().next().value!);
  }
}
