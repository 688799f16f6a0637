import type { ExperimentState } from '../contracts/experiment.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type { Database } from './database.js';
import { EXPERIMENT_COLUMNS, readExperiment } from './experiment-columns.js';

/** Filter, order and start of a page of experiments. */
export interface ExperimentPageQuery {
  readonly states?: readonly ExperimentState[] | undefined;
  readonly tag?: string | undefined;
  readonly corpus?: string | undefined;
  readonly preset?: string | undefined;
  /** Part of the name, case-insensitive. */
  readonly name?: string | undefined;
  /** `created`, or a metric key: sorts by the latest value; experiments without one come last. */
  readonly sort: string;
  readonly descending: boolean;
  readonly after?: PageCursor | undefined;
  readonly limit: number;
}

/** The last experiment of the previous page: its sort value and number. */
export interface PageCursor {
  readonly value: number | null;
  readonly number: number;
}

export interface ExperimentPage {
  readonly experiments: ExperimentRecord[];
  readonly next: PageCursor | null;
}

/** Reads pages of experiments, each by one statement; pages stay consistent while experiments are created and deleted. */
export function createExperimentPager(database: Database): (query: ExperimentPageQuery) => ExperimentPage {
  return (query) => {
    const { sql, parameters } = pageStatement(query);
    const rows = database.prepare<unknown[], { sortValue: number | null }>(sql).all(parameters);
    const page = rows.slice(0, query.limit);
    const experiments = page.map(readExperiment);
    const last = page.at(-1);
    const next =
      rows.length > query.limit && last
        ? { value: last.sortValue, number: experiments.at(-1)!.number }
        : null;
    return { experiments, next };
  };
}

function pageStatement(query: ExperimentPageQuery) {
  const byMetric = query.sort !== 'created';
  const value = byMetric ? 'm.value' : 'e.number';
  const join = byMetric
    ? `LEFT JOIN latest_metrics AS m ON m.experiment = e.number
       AND m.key = (SELECT id FROM metric_keys WHERE name = @sort)`
    : '';
  const conditions = filterConditions(query);
  if (query.after) conditions.push(afterCondition(value, query.after, query.descending));
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const direction = query.descending ? 'DESC' : 'ASC';
  const order = byMetric ? `${value} IS NULL, ${value} ${direction}, e.number DESC` : `${value} ${direction}`;
  return {
    sql: `SELECT ${EXPERIMENT_COLUMNS}, ${value} AS sortValue FROM experiments AS e ${join} ${where}
          ORDER BY ${order} LIMIT @limit`,
    parameters: {
      sort: query.sort,
      limit: query.limit + 1, // one more row shows whether there is a next page
      states: JSON.stringify(query.states ?? []),
      tag: query.tag ?? null,
      corpus: query.corpus ?? null,
      preset: query.preset ?? null,
      name: query.name?.toLowerCase() ?? null,
      afterValue: query.after?.value ?? null,
      afterNumber: query.after?.number ?? null,
    },
  };
}

function filterConditions({ states, tag, corpus, preset, name }: ExperimentPageQuery): string[] {
  const conditions: string[] = [];
  if (states) conditions.push('e.state IN (SELECT value FROM json_each(@states))');
  if (tag !== undefined) conditions.push('EXISTS (SELECT 1 FROM json_each(e.tags) WHERE value = @tag)');
  if (corpus !== undefined) conditions.push('e.corpus = @corpus');
  if (preset !== undefined) conditions.push('e.preset = @preset');
  if (name !== undefined) conditions.push('instr(lower_case(e.name), @name) > 0');
  return conditions;
}

/** Rows after the cursor: a worse value, then an older one of the same value, then those without a value. */
function afterCondition(value: string, after: PageCursor, descending: boolean): string {
  if (after.value === null) return `(${value} IS NULL AND e.number < @afterNumber)`;
  const behind = descending ? '<' : '>';
  return `(${value} ${behind} @afterValue OR ${value} IS NULL
           OR (${value} = @afterValue AND e.number < @afterNumber))`;
}
