import { LRUCache } from 'lru-cache';
import type { Kernels } from '../kernels/kernels.js';
import { parameterCount } from '../models/language-model.js';
import { openModel, type TrainedModel } from './model-folder.js';

/** The location of a model. */
export interface ModelLocation {
  readonly experimentId: string;
  /** Its folder. */
  readonly folder: string;
  /** Changes when the weights do. */
  readonly digest: string;
}

/** A model in memory, with the resources built for it. */
export interface WarmModel<Extra> extends TrainedModel {
  readonly extra: Extra;
}

interface Entry<Extra> {
  readonly warm: WarmModel<Extra>;
  readonly digest: string;
  readonly bytes: number;
  users: number;
}

/** Builds the resources of a model when it is loaded, and disposes them before it is unloaded. */
export interface Surroundings<Extra> {
  build(trained: TrainedModel): Extra;
  dispose(extra: Extra): void;
}

/** Weights are float32, and most of them are packed once more for the kernels. */
const BYTES_PER_PARAMETER = 8;

/** Trained models in memory: those in use, and, up to a limit, the most recently used idle ones. */
export class WarmModels<Extra> {
  readonly #kernels: Kernels;
  readonly #surroundings: Surroundings<Extra>;
  readonly #used = new Map<string, Entry<Extra>>();
  readonly #idle: LRUCache<string, Entry<Extra>>;

  /** @param maxBytes limit for idle models; one is kept, however large */
  constructor(kernels: Kernels, maxBytes: number, surroundings: Surroundings<Extra>) {
    const maxSize = Math.max(1, Math.floor(maxBytes));
    this.#kernels = kernels;
    this.#surroundings = surroundings;
    this.#idle = new LRUCache({
      maxSize,
      sizeCalculation: ({ bytes }) => Math.min(bytes, maxSize),
      dispose: (entry, _id, reason) => {
        if (reason !== 'delete') this.#dispose(entry); // deleted ones are in use again
      },
    });
  }

  /**
   * Loads the model unless it is there already; it stays until `body` has ended.
   * @throws what {@link openModel} throws
   */
  async use<Result>(
    location: ModelLocation,
    body: (warm: WarmModel<Extra>) => Promise<Result>,
  ): Promise<Result> {
    const { experimentId } = location;
    const entry = this.#find(location);
    this.#used.set(experimentId, entry);
    entry.users++;
    try {
      return await body(entry.warm);
    } finally {
      entry.users--;
      if (entry.users === 0) this.#release(experimentId, entry);
    }
  }

  #find({ experimentId, folder, digest }: ModelLocation): Entry<Extra> {
    const used = this.#used.get(experimentId);
    if (used?.digest === digest) return used;
    const idle = this.#idle.get(experimentId);
    if (idle?.digest === digest) {
      this.#idle.delete(experimentId);
      return idle;
    }
    const trained = openModel(folder, this.#kernels);
    const warm = { ...trained, extra: this.#surroundings.build(trained) };
    const bytes = BYTES_PER_PARAMETER * parameterCount(trained.model);
    return { warm, digest, bytes, users: 0 };
  }

  /** Called when the last user is done: the model becomes idle, unless newer weights of the experiment are in use. */
  #release(experimentId: string, entry: Entry<Extra>): void {
    if (this.#used.get(experimentId) !== entry) {
      this.#dispose(entry);
      return;
    }
    this.#used.delete(experimentId);
    this.#idle.set(experimentId, entry);
  }

  #dispose({ warm }: Entry<Extra>): void {
    this.#surroundings.dispose(warm.extra);
    warm.model.dispose();
  }
}
