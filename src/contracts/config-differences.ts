/** In what configs differ, by paths as in optimizer.learningRate. */
import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from './plain-data.js';

/** A value by path; lists are values. */
export type FlatConfig = Readonly<Record<string, unknown>>;

/** The values of a config by path. */
export function flattenConfig(config: object, prefix = ''): FlatConfig {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]): [string, unknown][] =>
      isPlainObject(value)
        ? Object.entries(flattenConfig(value, `${prefix}${key}.`))
        : [[`${prefix}${key}`, value]],
    ),
  );
}

/** The settings of an experiment by path; what the preset auto explains about itself is none. */
export function settingsOf(config: object): FlatConfig {
  const { reasons: _, ...settings } = flattenConfig(config);
  return settings;
}

/** Paths that have not the same value everywhere; one that is missing somewhere is among them. */
export function differingPaths(configs: readonly FlatConfig[]): string[] {
  const paths = new Set(configs.flatMap((config) => Object.keys(config)));
  return [...paths].filter((path) =>
    configs.some((each) => !isDeepStrictEqual(each[path], configs[0]![path])),
  );
}

/** A setting in a name: the last part of its path, and its value. */
export function shortSetting(path: string, value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `${path.slice(path.lastIndexOf('.') + 1)} ${text}`;
}
