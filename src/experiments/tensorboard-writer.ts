import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type EventType, FINAL_EVENT_TYPES, type StoredEvent } from '../contracts/events.js';
import { eventFileName, TensorBoardRecords } from '../interchange/tensorboard.js';
import type { Logger } from './logger.js';

/** Events after which a training is paused or over. */
const STOPPING_EVENTS: readonly EventType[] = [...FINAL_EVENT_TYPES, 'paused', 'interrupted'];

interface EventFile {
  readonly records: TensorBoardRecords;
  readonly descriptor: number;
}

/**
 * Writes TensorBoard event files of each run while it trains: a new file for each start, so that a record truncated by
 * a crash stays at the end of its file. Write errors are logged and do not stop the training.
 */
export class TensorBoardWriter {
  readonly #folderOf: (experimentId: string) => string;
  readonly #logger: Logger;
  /** null = the file could not be written. */
  readonly #open = new Map<string, EventFile | null>();

  /** @param folderOf the folder for the event files of an experiment */
  constructor(folderOf: (experimentId: string) => string, logger: Logger) {
    this.#folderOf = folderOf;
    this.#logger = logger;
  }

  take(event: StoredEvent): void {
    const { experimentId, type } = event;
    try {
      const file = this.#open.get(experimentId);
      if (file !== undefined || type === 'started' || type === 'step') this.#write(event, file);
    } catch (error) {
      this.#logger.warn({ err: error, experimentId }, 'TensorBoard events cannot be written');
      this.#close(experimentId);
      this.#open.set(experimentId, null);
    }
    if (STOPPING_EVENTS.includes(type)) this.#close(experimentId);
  }

  close(): void {
    for (const id of [...this.#open.keys()]) this.#close(id);
  }

  #write(event: StoredEvent, open: EventFile | null | undefined): void {
    const file = open === undefined ? this.#begin(event) : open;
    const bytes = file?.records.encode(event);
    if (bytes) writeSync(file!.descriptor, bytes);
  }

  #begin({ experimentId, seq, time }: StoredEvent): EventFile {
    const folder = this.#folderOf(experimentId);
    mkdirSync(folder, { recursive: true });
    const records = new TensorBoardRecords();
    const file = { records, descriptor: openSync(join(folder, eventFileName(time, seq)), 'a') };
    this.#open.set(experimentId, file);
    writeSync(file.descriptor, records.begin(time));
    return file;
  }

  #close(experimentId: string): void {
    const file = this.#open.get(experimentId);
    this.#open.delete(experimentId);
    if (file) closeSync(file.descriptor);
  }
}
