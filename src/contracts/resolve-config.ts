import { ExperimentConfigFields } from './config-fields.js';
import { ExperimentInput } from './experiment-config.js';
import { assertHarmless, isPlainObject, mergePlain } from './plain-data.js';
import { PRESETS, PresetName } from './presets.js';
import { prefaults } from './schema-keys.js';
import { parseStrictly } from './validation.js';

/**
 * The body of POST /experiments with everything filled in that it leaves out: from its preset first, then from the
 * defaults of the schema.
 * @throws validation-failed, listing every wrong field; unknown keys with the nearest known one
 */
export function resolveExperimentInput(body: unknown): ExperimentInput {
  assertHarmless(body, 'The experiment');
  if (!isPlainObject(body)) return parseStrictly(ExperimentInput, body, 'The experiment');
  const preset = PresetName.safeParse(Object.hasOwn(body, 'preset') ? body.preset : undefined);
  const recipe = preset.success ? PRESETS[preset.data].config : {};
  const base = mergePlain(prefaults(ExperimentConfigFields), recipe);
  return parseStrictly(ExperimentInput, mergePlain(base, body), 'The experiment');
}
