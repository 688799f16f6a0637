import { Budget, secondsOf } from './budget.js';
import { ExperimentConfigFields } from './config-fields.js';
import { ExperimentInput } from './experiment-config.js';

import { assertHarmless, isPlainObject, mergePlain } from './plain-data.js';
import { PRESETS, type Preset, PresetName } from './presets.js';
import { prefaults } from './schema-keys.js';
import { parseStrictly } from './validation.js';

/**
 * The body of POST /experiments with omitted fields filled in: from its preset first, then from the
 * defaults of the schema.
 * @param chosen the choice of the preset auto for this text, instead of a preset
 * @throws validation-failed, listing every invalid field; unknown keys with the nearest known one
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

/** Fields of a body that define the recipe; a body without them, or with no more of them than `training.seed`, means `auto`. */
const RECIPE_FIELDS = [
  'preset',
  'tokenizer',
  'model',
  'optimizer',
  'schedule',
  'training',
  'precision',
] as const;

/** Whether `auto` chooses the config from the text: with the preset auto, or if the body defines no recipe. */
export function wantsAuto(body: unknown): body is Record<string, unknown> {
  if (!isPlainObject(body)) return false;
  if (Object.hasOwn(body, 'preset')) return body.preset === 'auto';
  const { training } = body;
  const hasOnlySeed = isPlainObject(training) && Object.keys(training).every((key) => key === 'seed');
  return !RECIPE_FIELDS.some((field) => Object.hasOwn(body, field) && !(field === 'training' && hasOnlySeed));
}

/** The budget of a body in seconds, if it has a valid one. */
export function budgetOf(body: Record<string, unknown>): number | undefined {
  const budget = Budget.safeParse(body.budget);
  return budget.success ? secondsOf(budget.data) : undefined;
}
