/** Creates the experiment of a trial. */
import type { ExperimentInput } from '../contracts/experiment-config.js';
import { isPlainObject, mergePlain } from '../contracts/plain-data.js';
import { resolveExperimentInput } from '../contracts/resolve-config.js';
import type { SettingValue, SweepInput, SweepPoint } from '../contracts/sweep.js';

/** The parts of a sweep that determine the configs of its trials. */
export type SweepBase = Pick<SweepInput, 'preset' | 'corpus' | 'base'>;

/**
 * The experiment for a point.
 * @param repetition 0 for the first seed of the point, 1 for the second, and so on
 * @throws validation-failed when the point gives an invalid config
 */
export function trialExperiment(sweep: SweepBase, point: SweepPoint, repetition = 0): ExperimentInput {
  const { base, preset, corpus } = sweep;
  const common = { ...base, corpus, ...(preset === null ? {} : { preset }) };
  const input = resolveExperimentInput(mergePlain(common, nestPoint(point)));
  const seed = (input.training.seed + repetition) % 2 ** 32;
  return { ...input, training: { ...input.training, seed } };
}

/** The settings of a point as a partial config; longer paths are merged into shorter ones. */
function nestPoint(point: SweepPoint): Record<string, unknown> {
  const paths = Object.keys(point)
    .map((path) => path.split('.'))
    .toSorted((a, b) => a.length - b.length);
  return paths.reduce<Record<string, unknown>>(
    (nested, path) => withValue(nested, path, point[path.join('.')]!),
    {},
  );
}

function withValue(
  object: Record<string, unknown>,
  [first = '', ...rest]: readonly string[],
  value: SettingValue,
): Record<string, unknown> {
  if (rest.length === 0) return { ...object, [first]: value };
  const inner = Object.hasOwn(object, first) ? object[first] : undefined;
  return { ...object, [first]: withValue(isPlainObject(inner) ? inner : {}, rest, value) };
}
