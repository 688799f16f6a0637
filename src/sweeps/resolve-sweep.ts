/** Validates the body of POST /sweeps, including the experiments that it will create. */
import { ExperimentConfig } from '../contracts/experiment-config.js';
import { nearestName } from '../contracts/nearest-name.js';
import { knownKeys } from '../contracts/schema-keys.js';
import { SweepInput, type SweepSpace } from '../contracts/sweep.js';
import { parseStrictly, type ValidationIssue, validationError } from '../contracts/validation.js';
import { pointIssues } from './point-issues.js';

/** Maximum grid values of one setting. */
const MAX_LEVELS = 1000;
/** Keys of an experiment that are top-level keys of a sweep. */
const BESIDE_BASE = ['preset', 'corpus', 'name', 'tags', 'notes'];

/**
 * Parses a sweep and applies its defaults.
 * @throws validation-failed, listing every invalid field: unknown paths (with the nearest known one), invalid values,
 *   settings that cannot be combined
 */
export function resolveSweepInput(body: unknown): SweepInput {
  const sweep = parseStrictly(SweepInput, body, 'The sweep');
  const checks = [pathIssues, conditionIssues, comparisonIssues, gridIssues, pointIssues];
  for (const check of checks) {
    const issues = check(sweep);
    if (issues.length > 0) throw validationError(issues, 'The sweep');
  }
  return sweep;
}

function pathIssues({ space, base }: SweepInput): ValidationIssue[] {
  const known = settingPaths();
  const beside = BESIDE_BASE.filter((key) => Object.hasOwn(base, key));
  return [
    ...beside.map((key) => ({ path: `base.${key}`, message: 'belongs beside base, not into it' })),
    ...Object.keys(space)
      .filter((path) => !known.has(path))
      .map((path) => {
        const nearest = nearestPath(path, known);
        const hint = nearest ? `; did you mean "${nearest}"?` : '';
        return { path: `space.${path}`, message: `there is no setting "${path}"${hint}` };
      }),
  ];
}

/** The path that was probably meant: one with the same last name, otherwise the nearest one. */
function nearestPath(path: string, known: ReadonlySet<string>): string | undefined {
  const last = path.slice(path.lastIndexOf('.') + 1);
  const sameEnd = [...known].filter((other) => other.endsWith(`.${last}`));
  return nearestName(path, known) ?? nearestName(path, sameEnd) ?? sameEnd[0];
}

/** All paths of the config, through all variants of its unions. */
function settingPaths(): ReadonlySet<string> {
  const paths = new Set<string>();
  const visit = (path: readonly string[]) => {
    for (const key of knownKeys(ExperimentConfig, path, undefined)) {
      paths.add([...path, key].join('.'));
      visit([...path, key]);
    }
  };
  visit([]);
  return paths;
}

function conditionIssues({ space }: SweepInput): ValidationIssue[] {
  return Object.entries(space).flatMap(([path, { when = {} }]) =>
    Object.entries(when).flatMap(([parent, values]) => {
      const place = `space.${path}.when.${parent}`;
      const dimension = space[parent];
      if (dimension?.type !== 'choice') {
        const choices = Object.keys(space).filter((other) => space[other]!.type === 'choice');
        const nearest = nearestName(parent, choices);
        const hint = nearest ? `; did you mean "${nearest}"?` : '';
        return [{ path: place, message: `"${parent}" is not a choice of this space${hint}` }];
      }
      if (dependsOn(space, parent, path)) return [{ path: place, message: 'depends on itself' }];
      const options = new Set(dimension.values.map((value) => JSON.stringify(value)));
      return values
        .filter((value) => !options.has(JSON.stringify(value)))
        .map((value) => ({ path: place, message: `${JSON.stringify(value)} is not a value of "${parent}"` }));
    }),
  );
}

function dependsOn(space: SweepSpace, path: string, target: string, seen: readonly string[] = []): boolean {
  if (path === target) return true;
  if (seen.includes(path)) return false;
  return Object.keys(space[path]?.when ?? {}).some((parent) =>
    dependsOn(space, parent, target, [...seen, path]),
  );
}

/** Settings whose values cannot be compared by the objective, or not while trials are stopped early. */
function comparisonIssues({ space, objective, stopping, seedsPerPoint }: SweepInput): ValidationIssue[] {
  return Object.keys(space).flatMap((path) => {
    const issue = (message: string) => [{ path: `space.${path}`, message }];
    if (path === 'corpus') return issue('results on different corpora cannot be compared');
    if ((path === 'tokenizer' || path.startsWith('tokenizer.')) && objective === 'validLoss')
      return issue('losses of different tokenizers cannot be compared; set objective to "bitsPerByte"');
    if (path === 'training.epochs' && stopping.type !== 'none')
      return issue(`stopping "${stopping.type}" compares trials of the same number of epochs`);
    if (path === 'training.seed' && seedsPerPoint > 1) return issue('seedsPerPoint counts the seeds up');
    return [];
  });
}

function gridIssues({ space, strategy }: SweepInput): ValidationIssue[] {
  if (strategy.type !== 'grid') return [];
  return Object.entries(space).flatMap(([path, dimension]) => {
    if (dimension.type !== 'integer' || dimension.levels !== null) return [];
    const values = Math.floor((dimension.high - dimension.low) / dimension.step) + 1;
    if (values <= MAX_LEVELS) return [];
    const message = `a grid allows at most ${MAX_LEVELS} values of a setting, got ${values}; set levels`;
    return [{ path: `space.${path}.levels`, message }];
  });
}
