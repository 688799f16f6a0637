/** Validates points of a sweep against the schema of the config, before any training. */
import type { ExperimentInput } from '../contracts/experiment-config.js';
import type { SettingValue, SweepInput, SweepPoint } from '../contracts/sweep.js';
import { ValidationIssue } from '../contracts/validation.js';
import { AppError } from '../errors.js';
import { pointAt } from './scattered.js';
import { buildPoint, createSearchSpace, type Setting } from './search-space.js';
import { createSobol } from './sobol.js';
import { trialExperiment } from './trial-config.js';

/** Sampled points to validate, in addition to the ends of each setting. */
const SAMPLES = 64;
/** Maximum number of reported issues. */
const MAX_ISSUES = 20;

/**
 * Validation issues of the sweep's points: of its base, of the values of each setting, and of settings that cannot be
 * combined.
 */
export function pointIssues(sweep: SweepInput): ValidationIssue[] {
  const base = tryPoint(sweep, {});
  if (base.issues) {
    const wrong = base.issues.filter(({ path }) => !settingOf(Object.keys(sweep.space), path));
    if (wrong.length > 0) return wrong.map((issue) => ({ ...issue, path: `base.${issue.path}` }));
  }
  const settings = createSearchSpace(sweep.space);
  const sobol = createSobol(settings.length, sweep.seed);
  const samples = Array.from({ length: SAMPLES }, (_, index) => pointAt(settings, sobol(index)));
  const ends = settings.flatMap((setting) => pointsWithEnds(settings, setting, samples));
  const found = new Map<string, ValidationIssue>();
  const epochs = new Set<number>();
  for (const point of [...ends, ...samples]) {
    const { issues, experiment } = tryPoint(sweep, point);
    if (experiment) epochs.add(experiment.training.epochs);
    for (const issue of issues ?? []) {
      const named = nameIssue(sweep, point, issue);
      if (found.size < MAX_ISSUES && !found.has(named.path)) found.set(named.path, named);
    }
  }
  if (found.size === 0 && epochs.size > 1 && sweep.stopping.type !== 'none') {
    const message = `the points train for ${[...epochs].join(' or ')} epochs; stopping "${sweep.stopping.type}" compares trials of the same number`;
    return [{ path: 'space', message }];
  }
  return [...found.values()];
}

function tryPoint(
  sweep: SweepInput,
  point: SweepPoint,
): { readonly experiment?: ExperimentInput; readonly issues?: readonly ValidationIssue[] } {
  try {
    return { experiment: trialExperiment(sweep, point) };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'validation-failed') throw error;
    return { issues: ValidationIssue.array().parse(error.details.issues) };
  }
}

/** Points with every value of a choice, or the ends of a number's range, where that setting applies. */
function pointsWithEnds(
  settings: readonly Setting[],
  setting: Setting,
  samples: readonly SweepPoint[],
): SweepPoint[] {
  const sample = samples.find((point) => Object.hasOwn(point, setting.path));
  if (!sample) return [];
  const values: readonly SettingValue[] =
    setting.kind === 'choice' ? setting.values : [setting.valueAt(0), setting.valueAt(1)];
  return values.map((value) =>
    buildPoint(settings, (other) => {
      if (other === setting) return value;
      return Object.hasOwn(sample, other.path) ? sample[other.path]! : firstValue(other);
    }),
  );
}

function firstValue(setting: Setting): SettingValue {
  return setting.kind === 'choice' ? setting.values[0]! : setting.valueAt(0.5);
}

/** Attributes an issue to its setting, with the value. */
function nameIssue({ space }: SweepInput, point: SweepPoint, issue: ValidationIssue): ValidationIssue {
  const path = settingOf(Object.keys(point), issue.path);
  if (!path)
    return { path: 'space', message: `${issue.path}: ${issue.message} (at ${JSON.stringify(point)})` };
  const inside = issue.path === path ? '' : `${issue.path}: `;
  const hint =
    issue.message.startsWith('unknown key') && !space[path]?.when
      ? '; use "when" to say where it applies'
      : '';
  const message = `${inside}${issue.message}${hint} (at ${JSON.stringify(point[path])})`;
  return { ...issue, path: `space.${path}`, message };
}

/** The longest setting path at, above or below an issue. */
function settingOf(paths: readonly string[], issuePath: string): string | undefined {
  return paths
    .filter(
      (path) => issuePath === path || issuePath.startsWith(`${path}.`) || path.startsWith(`${issuePath}.`),
    )
    .toSorted((a, b) => b.length - a.length)[0];
}
