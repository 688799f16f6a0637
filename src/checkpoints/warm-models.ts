import { parameterCount } from '../models/language-model.js';
import { openModel, type TrainedModel } from './model-folder.js';

/** Where a model lies that is to be used. */
export interface ModelLocation {
  readonly experimentId: string;
  /** Its folder. */
  readonly folder: string;
  /** Changes when the weights do. */
  readonly digest: string;
}

/** A model that is in memory, with whatever was built around it. */
export interface WarmModel<Extra> extends TrainedModel {
  readonly extra: Extra;
}

interface Entry<Extra> {
  readonly warm: WarmModel<Extra>;
  readonly digest: string;
  readonly bytes: number;
  users: number;
  /** No longer to be given out. */
  isRetired: boolean;
}

/** What is built around a model when it is loaded, and taken down before it goes. */
export interface Surroundings<Extra> {
  build(trained: TrainedModel): Extra;
  dispose(extra: Extra): void;
}

/** Weights are float32, and most of them are packed once more for the kernels. */
const BYTES_PER_PARAMETER = 8;

/** Trained models, kept in memory under a limit: of those that nobody uses, the least recently used goes first. */
export class WarmModels<Extra> {
  readonly #entries = new Map<string, Entry<Extra>>();
  readonly #maxBytes: number;
  readonly #surroundings: Surroundings<Extra>;

  constructor(maxBytes: number, surroundings: Surroundings<Extra>) {
    this.#maxBytes = maxBytes;
    this.#surroundings = surroundings;
  }

  /**
   * Loads the model unless it is there already; it stays until `body` has ended.
   * @throws what {@link openModel} throws
   */
  async use<Result>(
    location: ModelLocation,
    body: (warm: WarmModel<Extra>) => Promise<Result>,
  ): Promise<Result> {
    const entry = this.#find(location);
    entry.users++;
    try {
      return await body(entry.warm);
    } finally {
      entry.users--;
      if (entry.isRetired) this.#disposeIfIdle(entry);
      this.#makeRoom();
    }
  }

  #find({ experimentId, folder, digest }: ModelLocation): Entry<Extra> {
    let entry = this.#entries.get(experimentId);
    this.#entries.delete(experimentId);
    if (entry && entry.digest !== digest) {
      this.#retire(entry);
      entry = undefined;
    }
    entry ??= this.#open(folder, digest);
    this.#entries.set(experimentId, entry); // the last one of the map is the most recently used
    return entry;
  }

  #open(folder: string, digest: string): Entry<Extra> {
    const trained = openModel(folder);
    const warm = { ...trained, extra: this.#surroundings.build(trained) };
    const bytes = BYTES_PER_PARAMETER * parameterCount(trained.model);
    return { warm, digest, bytes, users: 0, isRetired: false };
  }

  /** The most recently used one stays, however large. */
  #makeRoom(): void {
    let bytes = [...this.#entries.values()].reduce((total, entry) => total + entry.bytes, 0);
    for (const [id, entry] of [...this.#entries].slice(0, -1)) {
      if (bytes <= this.#maxBytes) return;
      if (entry.users > 0) continue;
      this.#entries.delete(id);
      this.#retire(entry);
      bytes -= entry.bytes;
    }
  }

  #retire(entry: Entry<Extra>): void {
    entry.isRetired = true;
    this.#disposeIfIdle(entry);
  }

  #disposeIfIdle({ users, warm }: Entry<Extra>): void {
    if (users > 0) return;
    this.#surroundings.dispose(warm.extra);
    warm.model.dispose();
  }
}
