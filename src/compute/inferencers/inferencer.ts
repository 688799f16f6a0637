import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as after } from 'node:timers/promises';
import type { InferenceLimits } from '../../contracts/inference-limits.js';
import type { InferencerHello } from '../../contracts/inferencer.js';
import type { InferenceTask } from '../../contracts/jobs.js';
import { AppError } from '../../errors.js';
import { FolderArtifactStore } from '../../files/folder-artifact-store.js';
import { HttpArtifactStore } from '../../files/http-artifact-store.js';
import { packageVersion } from '../../package-version.js';
import type { ComputeOptions } from '../host-environment.js';
import type { RunOptions } from '../inference-executor.js';
import { LocalInferenceExecutor } from '../local-inference-executor.js';
import { thisMachine } from '../this-machine.js';
import { ModelCache } from './model-cache.js';
import { openSocket } from './open-socket.js';
import { ServerConnection } from './server-connection.js';

export interface InferencerOptions {
  /** URL of the server. */
  readonly server: string;
  /** API key with the scope `inferencer`; null if the server needs none. */
  readonly key: string | null;
  /** Threads that run tasks. */
  readonly slots: number;
  /** Of this machine, beside those that are found. */
  readonly labels: readonly string[];
  /** Folder of the models that it has fetched. */
  readonly dataDirectory: string;
  /** Maximum size of these models. */
  readonly cacheBytes: number;
  readonly compute: ComputeOptions;
  readonly limits: InferenceLimits;
  readonly log: (message: string) => void;
}

/** Waits between two attempts to connect: doubled up to the maximum. */
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 30_000;
/** The server has the limit. */
const MAX_OPEN_TASKS = 1_000_000;
/** Time after which a server that cannot be reached for files is an error of the task. */
const FETCH_GIVE_UP_MS = 30_000;

/** Runs inference tasks of a server on another machine, until it is drained. */
export class Inferencer {
  readonly #options: InferencerOptions;
  readonly #id = `${hostname()}-${randomBytes(4).toString('hex')}`;
  readonly #address: string;
  readonly #executor: LocalInferenceExecutor;
  readonly #cache: ModelCache;
  readonly #draining = new AbortController();
  #connection: ServerConnection | null = null;
  #waitMs = FIRST_WAIT_MS;

  constructor(options: InferencerOptions) {
    const { slots, compute, dataDirectory, cacheBytes, limits, key } = options;
    const address = options.server.replace(/\/+$/, '');
    this.#options = options;
    this.#address = `${address}/inferencers?version=${encodeURIComponent(packageVersion())}`;
    this.#executor = new LocalInferenceExecutor({
      threads: slots,
      compute,
      files: { dataDirectory, mirror: null },
      limits: { ...limits, openTasks: MAX_OPEN_TASKS },
    });
    this.#cache = new ModelCache({
      server: new HttpArtifactStore({ address, key, giveUpAfterMs: FETCH_GIVE_UP_MS }),
      local: new FolderArtifactStore(dataDirectory),
      maxBytes: cacheBytes,
    });
  }

  /**
   * Loads TensorFlow, then takes tasks until it is drained; a lost connection is opened again.
   * @throws backend-unavailable, host-died, and what the server refuses it with: unauthorized, forbidden, version-mismatch
   */
  async run(): Promise<void> {
    const { signal } = this.#draining;
    try {
      this.#cache.open();
      const hello = await this.#introduce();
      while (!signal.aborted) {
        const reason = await this.#serve(hello);
        if (signal.aborted) break;
        this.#options.log(`${reason}; connects again in ${this.#waitMs / 1000} s`);
        await after(this.#waitMs, undefined, { signal }).catch(() => {}); // drained meanwhile
        this.#waitMs = Math.min(this.#waitMs * 2, MAX_WAIT_MS);
      }
    } finally {
      await this.#executor.close();
    }
  }

  /** Takes no more tasks; {@link run} ends when the open ones have ended, or the time is over. */
  async drain(graceMs: number): Promise<void> {
    this.#draining.abort();
    await this.#connection?.leave(graceMs);
  }

  async #introduce(): Promise<InferencerHello> {
    const { slots, labels } = this.#options;
    const backend = await this.#executor.warmUp();
    return { type: 'hello', id: this.#id, hostname: hostname(), ...thisMachine(labels), slots, backend };
  }

  /** One connection. @returns why it has ended */
  async #serve(hello: InferencerHello): Promise<string> {
    const { key, slots, log } = this.#options;
    try {
      const socket = await openSocket(this.#address, key);
      this.#connection = new ServerConnection(socket, {
        hello,
        run: (task, options) => this.#runTask(task, options),
        onWelcome: () => {
          this.#waitMs = FIRST_WAIT_MS;
          log(`inferencer ${this.#id} takes tasks: ${slots} slot${slots === 1 ? '' : 's'}`);
        },
      });
      return await this.#connection.ended;
    } catch (error) {
      if (error instanceof AppError) throw error;
      return `The server cannot be reached: ${(error as Error).message || 'no answer'}`;
    } finally {
      this.#connection = null;
    }
  }

  #runTask(task: InferenceTask, options: RunOptions<unknown>): Promise<unknown> {
    if (!('model' in task) || typeof task.model === 'string')
      return this.#executor.run(task, options as never);
    return this.#cache.use(task.model, (model) =>
      this.#executor.run({ ...task, model } as InferenceTask, options as never),
    );
  }
}
