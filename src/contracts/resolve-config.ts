import { Budget, secondsOf } from './budget.js';
import { ExperimentConfigFields } from './config-fields.js';
import { ExperimentInput } from './experiment-config.js';

import { assertHarmless, isPlainObject, mergePlain } from './plain-data.js';
import { PRESETS, type Preset, PresetName } from './presets.js';
import { prefaults } from './schema-keys.js';
import { parseStrictly } from './validation.js';

/**
 * The body of POST /experiments with everything filled in that it leaves out: from its preset first, then from the
 * defaults of the schema.
 * @param chosen what the preset auto came to for the text, instead of a preset
 * @throws validation-failed, listing every wrong field; unknown keys with the nearest known one
 */
export function resolveExperimentInput(
  body: unknown,
  chosen?: Preset['config'] & { readonly preset: PresetName; readonly reasons: string[] },
): ExperimentInput {
  assertHarmless(body, 'The experiment');
  if (!isPlainObject(body)) return parseStrictly(ExperimentInput, body, 'The experiment');
  const preset = PresetName.safeParse(Object.hasOwn(body, 'preset') ? body.preset : undefined);
  const recipe = chosen ?? (preset.success ? PRESETS[preset.data].config : {});
  const base = mergePlain(prefaults(ExperimentConfigFields), recipe);
  const { budget, ...input } = parseStrictly(ExperimentInput, mergePlain(base, body), 'The experiment');
  return budget === undefined
    ? input
    : { ...input, training: { ...input.training, timeBudget: secondsOf(budget) } };
}

/** Fields of a body that say how to learn; a body with none of them, and without a preset, leaves that to `auto`. */
const RECIPE_FIELDS = [
  'preset',
  'tokenizer',
  'model',
  'optimizer',
  'schedule',
  'training',
  'precision',
] as const;

/** Whether the text is to be looked at before the config is made: with the preset auto, or where nothing else is said. */
export function wantsAuto(body: unknown): body is Record<string, unknown> {
  if (!isPlainObject(body)) return false;
  if (Object.hasOwn(body, 'preset')) return body.preset === 'auto';
  return !RECIPE_FIELDS.some((field) => Object.hasOwn(body, field));
}

/** The budget of a body in seconds, where it has one that is valid. */
export function budgetOf(body: Record<string, unknown>): number | undefined {
  const budget = Budget.safeParse(body.budget);
  return budget.success ? secondsOf(budget.data) : undefined;
}
