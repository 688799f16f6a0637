/** From the point of a trial to the experiment that tries it. */
import type { ExperimentInput } from '../contracts/experiment-config.js';
import { isPlainObject, mergePlain } from '../contracts/plain-data.js';
import { resolveExperimentInput } from '../contracts/resolve-config.js';
import type { SettingValue, SweepInput, SweepPoint } from '../contracts/sweep.js';

/** What of a sweep decides its trials' configs. */
export type SweepBase = Pick<SweepInput, 'preset' | 'corpus' | 'base'>;

/**
 * The experiment that tries a point.
 * @param repetition 0 for the first seed of the point, 1 for the next …
 * @throws validation-failed where the point makes no valid config
 */
export function trialExperiment(sweep: SweepBase, point: SweepPoint, repetition = 0): ExperimentInput {
  const { base, preset, corpus } = sweep;
  const common = { ...base, corpus, ...(preset === null ? {} : { preset }) };
  const input = resolveExperimentInput(mergePlain(common, nestPoint(point)));
  const seed = (input.training.seed + repetition) % 2 ** 32;
  return { ...input, training: { ...input.training, seed } };
}

/** The settings of a point as a part of a config; a longer path goes into what a shorter one has set. */
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
