import { ExperimentRecord } from '../contracts/experiment-record.js';

const FIELDS = Object.keys(ExperimentRecord.shape) as (keyof ExperimentRecord)[];

/** `SELECT` list that gives rows the names of the record's fields. */
export const EXPERIMENT_COLUMNS = FIELDS.map((field) => `e.${columnOf(field)} AS "${field}"`).join(', ');

/** `bestValidPerplexity` → `best_valid_perplexity`. */
export function columnOf(field: keyof ExperimentRecord): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A value as SQLite keeps it: flags as 0 and 1, lists and objects as JSON. */
export function toColumn(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

export function readExperiment(row: unknown): ExperimentRecord {
  return ExperimentRecord.parse(row);
}
