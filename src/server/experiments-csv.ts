import { RESULT_KEYS } from '../contracts/comparison.js';
import { settingsOf } from '../contracts/config-differences.js';
import type { Experiment } from '../contracts/experiment.js';
import { resultsOf } from '../experiments/compare-experiments.js';
import { csvLine } from './csv-line.js';

/** A row an experiment: what it is called, the settings at some paths, what it came to. */
export function experimentsCsv(
  experiments: readonly Experiment[],
  paths: readonly string[] = allPaths(experiments),
): string {
  const described = ['id', 'name', 'state', 'createdAt', 'startedAt', 'endedAt'] as const;
  const head = [...described, 'tags', ...paths, ...RESULT_KEYS];
  const rows = experiments.map((experiment) => {
    const config = settingsOf(experiment.config);
    const results = resultsOf(experiment);
    return [
      ...described.map((field) => experiment[field]),
      experiment.tags.join(' '),
      ...paths.map((path) => config[path]),
      ...RESULT_KEYS.map((key) => results[key]),
    ];
  });
  return [head, ...rows].map(csvLine).join('');
}

/** Every setting that one of them has. */
function allPaths(experiments: readonly Experiment[]): string[] {
  return [...new Set(experiments.flatMap(({ config }) => Object.keys(settingsOf(config))))];
}
