import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { StoredEvent, TrainingEvent } from '../contracts/events.js';
import type { ExperimentConfig } from '../contracts/experiment-config.js';
import { appError } from '../errors.js';
import { CHECKPOINTS, LATEST_CHECKPOINT, LOCAL, MODEL } from '../files/layout.js';
import { isProcessAlive } from '../files/process-alive.js';

const CONFIG = 'config.json';
const PROCESS = 'pid';
const EVENTS = 'events.jsonl';
/** The same model under PyTorch's names. */
const BUNDLE = 'bundle';

/**
 * An unfinished training without a server: `DATA/local/NAME` holds its config, its checkpoints and its
 * events, so that the same command continues where an earlier one was paused or killed.
 */
export class WorkFolder {
  /** Relative to the data folder. */
  readonly key: string;
  readonly path: string;
  /** Whether there is a checkpoint to continue from. */
  readonly isBegun: boolean;
  readonly #name: string;
  #seq: number;

  private constructor(key: string, path: string, name: string) {
    this.key = key;
    this.path = path;
    this.#name = name;
    this.isBegun = existsSync(join(path, CHECKPOINTS, LATEST_CHECKPOINT));
    this.#seq = this.isBegun ? this.#storedEvents().length : 0;
    if (!this.isBegun) rmSync(join(path, EVENTS), { force: true });
  }

  /** @throws config-conflict if another training of that name is running, or has a different config */
  static async open(dataDirectory: string, name: string, config: ExperimentConfig): Promise<WorkFolder> {
    const folder = folderName(name);
    const path = join(dataDirectory, LOCAL, folder);
    await mkdir(path, { recursive: true });
    const holder = processOf(path);
    if (holder !== null)
      throw conflict(
        `process ${holder} is already training "${name}"; use another --name to train in parallel`,
      );
    const known = existsSync(join(path, CONFIG))
      ? JSON.parse(readFileSync(join(path, CONFIG), 'utf8'))
      : null;
    if (known !== null && !isDeepStrictEqual(known, JSON.parse(JSON.stringify(config))))
      throw conflict(
        `${path} holds an unfinished training with a different config; remove it, or choose another --name`,
      );
    writeFileSync(join(path, CONFIG), JSON.stringify(config, null, 2));
    writeFileSync(join(path, PROCESS), String(process.pid));
    return new WorkFolder(`${LOCAL}/${folder}`, path, name);
  }

  /** Keys of the model that was trained, and of the folder for the same under PyTorch's names. */
  get exportKeys(): { readonly model: string; readonly bundle: string } {
    return { model: `${this.key}/${MODEL}`, bundle: `${this.key}/${BUNDLE}` };
  }

  /** Appends an event of the training. */
  record(event: TrainingEvent): StoredEvent {
    this.#seq += 1;
    const stored = { experimentId: this.#name, seq: this.#seq, time: new Date().toISOString(), ...event };
    appendFileSync(join(this.path, EVENTS), `${JSON.stringify(stored)}\n`);
    return stored;
  }

  /** Copies the model and the record of its training to a folder. */
  async copyModel(target: string): Promise<void> {
    await mkdir(target, { recursive: true });
    const copyAll = async (from: string) => {
      for (const file of await readdir(from)) await copyFile(join(from, file), join(target, file));
    };
    await copyAll(join(this.path, MODEL));
    await copyAll(join(this.path, BUNDLE));
    await copyFile(join(this.path, CONFIG), join(target, 'training.json'));
    await copyFile(join(this.path, EVENTS), join(target, EVENTS));
  }

  /** Releases the folder for another command. */
  release(): void {
    rmSync(join(this.path, PROCESS), { force: true });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #storedEvents(): string[] {
    const file = join(this.path, EVENTS);
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  }
}

/** The name as a valid folder name. */
export function folderName(name: string): string {
  return name.replaceAll(/[^\w.-]+/gu, '-').replace(/^[^\w]+/u, '') || 'model';
}

/** The process that holds the folder, if it is alive. */
function processOf(path: string): number | null {
  const file = join(path, PROCESS);
  if (!existsSync(file)) return null;
  const pid = Number(readFileSync(file, 'utf8'));
  return pid !== process.pid && isProcessAlive(pid) ? pid : null;
}

function conflict(reason: string) {
  return appError('config-conflict', { field: '--local', reason });
}
