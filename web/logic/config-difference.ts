/** Configs as rows, and where they differ. */

export interface ConfigRow {
  /** As in model.hiddenSizes. */
  readonly path: string;
  readonly values: readonly string[];
  readonly differs: boolean;
}

/** Every value of a nested config by its path; lists are one value. */
export function flattenConfig(config: object, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(config)) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [inner, text] of flattenConfig(value, path)) flat.set(inner, text);
    else flat.set(path, textOf(value));
  }
  return flat;
}

/** A row for each path that any of the configs has, in the order of the first that has it. */
export function compareConfigs(configs: readonly object[]): ConfigRow[] {
  const flat = configs.map((config) => flattenConfig(config));
  const paths = [...new Set(flat.flatMap((values) => [...values.keys()]))];
  return paths.map((path) => {
    const values = flat.map((config) => config.get(path) ?? '–');
    return { path, values, differs: new Set(values).size > 1 };
  });
}

function textOf(value: unknown): string {
  if (value === null) return '–';
  return Array.isArray(value) ? value.map(textOf).join(', ') : String(value);
}
