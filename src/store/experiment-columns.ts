import { ExperimentRecord } from '../contracts/experiment-record.js';

const FIELDS = Object.keys(ExperimentRecord.shape) as (keyof ExperimentRecord)[];

/** `SELECT` list whose column names are the fields of the record. */
export const EXPERIMENT_COLUMNS = FIELDS.map((field) => `e.${columnOf(field)} AS "${field}"`).join(', ');

/** `bestValidPerplexity` → `best_valid_perplexity`. */
export function columnOf(field: keyof ExperimentRecord): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A value as stored in SQLite: booleans as 0 and 1, arrays and objects as JSON. */
export function toColumn(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

export function readExperiment(row: unknown): ExperimentRecord {
  return ExperimentRecord.parse(row);
}
