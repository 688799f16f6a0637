import { differingPaths, flattenConfig, shortSetting } from '../contracts/config-differences.js';
import type { ExperimentConfig } from '../contracts/experiment-config.js';
import { isPlainObject, mergePlain } from '../contracts/plain-data.js';
import { resolveExperimentInput } from '../contracts/resolve-config.js';

/** Settings that a name says; of more it says how many there are. */
const MAX_SETTINGS = 6;
/** The longest name of an experiment. */
const MAX_NAME = 200;
/** What a name says anyway, and what the preset auto explains about itself. */
const UNSAID = ['preset', 'corpus', 'reasons', 'requires', 'tags', 'notes', 'priority'];

/** What an experiment is called that nobody named: its preset, its corpus, and in what it differs from the preset. */
export function defaultName(config: ExperimentConfig): string {
  const start = `${config.preset ?? 'custom'} on ${config.corpus}`;
  const settings = config.preset === 'auto' ? [] : changedSettings(config); // auto has no config of its own
  return withSettings(start, settings);
}

/** A name with some settings behind it, as far as there is room. */
export function withSettings(start: string, settings: readonly string[]): string {
  const said = settings.slice(0, MAX_SETTINGS);
  const more = settings.length > said.length ? [`${settings.length - said.length} more`] : [];
  const name = said.length > 0 ? `${start}: ${[...said, ...more].join(', ')}` : start;
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
}

/** Where another kind of optimizer, schedule … is chosen, its own fields are held against the defaults of that kind. */
function changedSettings({ preset, corpus, ...config }: ExperimentConfig): string[] {
  const base = { preset: preset ?? undefined, corpus };
  const flat = flattenConfig(config);
  const unchanged = flattenConfig(resolveExperimentInput(base));
  const ofSameKinds = flattenConfig(resolveExperimentInput(mergePlain(base, kindsOf(config))));
  const isKind = (path: string) => /(^|\.)(type|kind)$/.test(path);
  return [
    ...differingPaths([flat, unchanged]).filter(isKind),
    ...differingPaths([flat, ofSameKinds]).filter((path) => !isKind(path)),
  ]
    .filter((path) => !UNSAID.includes(path.split('.')[0]!) && flat[path] !== undefined)
    .map((path) => (isKind(path) ? String(flat[path]) : shortSetting(path, flat[path])));
}

/** Of a config no more than which kind each part is. */
function kindsOf(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
      if (key === 'type' || key === 'kind') return [[key, inner]];
      if (!isPlainObject(inner)) return [];
      const kinds = kindsOf(inner);
      return Object.keys(kinds).length > 0 ? [[key, kinds]] : [];
    }),
  );
}
