/** results/own-text.json: a row for each text, budget and seed, written after each training. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { CompressedSize } from './compressors.js';

/** What a training came to, as its program prints it, with when and on what. */
export interface Trained {
  readonly validBitsPerByte: number;
  readonly testBitsPerByte: number;
  readonly seconds: number;
  readonly sample: string;
  readonly [field: string]: unknown;
}

export interface TextRow {
  readonly text: string;
  readonly about: string;
  readonly budgetSeconds: number;
  readonly seed: number;
  /** Of each training. With one thread, as many trainings ran at a time as there are cores. */
  readonly threads: number;
  readonly bytes: { readonly train: number; readonly valid: number; readonly test: number };
  readonly compressors: Record<string, CompressedSize | null>;
  auto?: Trained;
  /** `auto` with other settings, by their JSON. */
  varied?: Record<string, Trained>;
  /** Recipes that were drawn at random, each with the same time; by their numbers. */
  random: Record<number, Trained>;
  /** Null where PyTorch is not installed. */
  charRnn?: Trained | null;
}

/** What makes a row another one. */
export type RowKey = Pick<TextRow, 'text' | 'budgetSeconds' | 'seed' | 'threads'>;

export class OwnTextRecord {
  readonly #path: string;
  readonly rows: TextRow[];

  constructor(path: string) {
    this.#path = path;
    this.rows = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).rows : [];
  }

  find({ text, budgetSeconds, seed, threads }: RowKey): TextRow | undefined {
    return this.rows.find(
      (row) =>
        row.text === text &&
        row.budgetSeconds === budgetSeconds &&
        row.seed === seed &&
        row.threads === threads,
    );
  }

  add(row: TextRow): TextRow {
    this.rows.push(row);
    return row;
  }

  save(): void {
    writeFileSync(this.#path, `${JSON.stringify({ rows: this.rows }, null, 2)}\n`);
  }
}
