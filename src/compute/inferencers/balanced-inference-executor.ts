import type { WebSocket } from 'ws';
import type { InferencerReport } from '../../contracts/inferencer.js';
import type { BackendReport, InferenceTask } from '../../contracts/jobs.js';
import { AppError, appError, type ErrorCode } from '../../errors.js';
import type { HostStats } from '../host-stats.js';
import type {
  InferenceExecutor,
  InferencePartOf,
  InferenceResultOf,
  RunOptions,
} from '../inference-executor.js';
import { Delivery } from './delivery.js';
import { InferenceMachine } from './inference-machine.js';
import { RemoteInferencer } from './remote-inferencer.js';
import { type TravellingTask, travels } from './travels.js';

export interface BalancedInferenceExecutorOptions {
  /** Runs tasks on this machine. */
  readonly local: InferenceExecutor;
  /** Its threads. */
  readonly localSlots: number;
  /** Maximum number of open tasks on all machines. */
  readonly openTasks: number;
  /** Time without a message after which an inferencer counts as lost. */
  readonly silenceMs: number;
  readonly onNotice?: (notice: string) => void;
}

/** Errors of a machine instead of the task: another one may succeed. */
const MACHINE_ERRORS: ReadonlySet<ErrorCode> = new Set([
  'host-died',
  'host-unavailable',
  'backend-unavailable',
  'artifact-not-found',
  'artifact-corrupt',
  'checkpoint-corrupt',
  'out-of-disk',
  'write-failed',
  'unauthorized', // its key was revoked: it cannot fetch models
  'forbidden',
]);
/** Machines that a task may be lost at before its error is passed on: it may be the task that crashes them. */
const MAX_MOVES = 2;

/**
 * Distributes tasks over this machine and the inferencers that are connected: to one that has the model loaded and a free slot,
 * otherwise to the one with the fewest tasks per slot. A task that is lost before its first part runs elsewhere.
 */
export class BalancedInferenceExecutor implements InferenceExecutor {
  readonly #options: BalancedInferenceExecutorOptions;
  readonly #local: InferenceMachine;
  readonly #inferencers = new Map<RemoteInferencer, InferenceMachine>();
  /** Connections, including those that have not introduced themselves. */
  readonly #connections = new Set<RemoteInferencer>();
  #open = 0;

  constructor(options: BalancedInferenceExecutorOptions) {
    const { local, localSlots } = options;
    this.#options = options;
    this.#local = new InferenceMachine({ id: 'server', hostname: '', slots: localSlots }, local);
  }

  async run<Task extends InferenceTask>(
    task: Task,
    options: RunOptions<InferencePartOf<Task>> = {},
  ): Promise<InferenceResultOf<Task>> {
    const limit = this.#options.openTasks;
    if (this.#open >= limit) throw appError('queue-full', { what: 'The queue of generation tasks', limit });
    this.#open += 1;
    try {
      return await (travels(task) ? this.#runSomewhere(task, options) : this.#local.run(task, options));
    } finally {
      this.#open -= 1;
    }
  }

  /** The connection of an inferencer. */
  admit(socket: WebSocket): void {
    const { silenceMs, onNotice } = this.#options;
    const inferencer: RemoteInferencer = new RemoteInferencer(socket, {
      silenceMs,
      onJoin: (hello) => {
        this.#inferencers.set(inferencer, new InferenceMachine(hello, inferencer));
        onNotice?.(`inferencer ${hello.id} has joined with ${hello.slots} slots`);
      },
      onEnd: (reason) => {
        const machine = this.#inferencers.get(inferencer);
        this.#inferencers.delete(inferencer);
        this.#connections.delete(inferencer);
        if (machine) onNotice?.(`inferencer ${machine.id} has left: ${reason}`);
      },
    });
    this.#connections.add(inferencer);
  }

  inferencers(): readonly InferencerReport[] {
    return this.#available().map(({ report }) => report);
  }

  backendReport(): BackendReport | null {
    return this.#options.local.backendReport();
  }

  unusableReason(): string | null {
    return this.#options.local.unusableReason();
  }

  hostStats(): HostStats {
    return this.#options.local.hostStats?.() ?? { processIds: [], residentBytes: 0, cpuSeconds: 0 };
  }

  async close(): Promise<void> {
    await this.#options.local.close();
    for (const connection of this.#connections) connection.close();
  }

  async #runSomewhere<Task extends TravellingTask>(
    task: Task,
    given: RunOptions<InferencePartOf<Task>>,
  ): Promise<InferenceResultOf<Task>> {
    const delivery = new Delivery(given);
    const tried = new Set<InferenceMachine>();
    for (;;) {
      const machine = this.#choose(task, tried);
      tried.add(machine);
      try {
        return await machine.run(task, delivery.options);
      } catch (error) {
        const canMove = machine !== this.#local && !delivery.hasBegun && tried.size <= MAX_MOVES;
        if (!canMove || !(error instanceof AppError) || !MACHINE_ERRORS.has(error.code)) throw error;
        this.#options.onNotice?.(`a task of inferencer ${machine.id} runs elsewhere: ${error.message}`);
      }
    }
  }

  /** This machine comes first where several are equal. */
  #choose({ model }: TravellingTask, tried: ReadonlySet<InferenceMachine>): InferenceMachine {
    const machines = [this.#local, ...this.#available()].filter((machine) => !tried.has(machine));
    const warm = machines.filter((machine) => machine.hasFreeSlot && machine.hasLoaded(model));
    const [first, ...others] = warm.length > 0 ? warm : machines;
    return others.reduce((best, machine) => (machine.load < best.load ? machine : best), first!);
  }

  #available(): InferenceMachine[] {
    return [...this.#inferencers].filter(([{ isOpen }]) => isOpen).map(([, machine]) => machine);
  }
}
