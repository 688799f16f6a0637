import { z } from 'zod';
import { Budget } from './budget.js';
import { ExperimentConfigFields } from './config-fields.js';
import { MachineRequirements } from './machine.js';
import { PresetName } from './presets.js';
import { writtenName, writtenText } from './written-text.js';

export const ExperimentName = writtenName
  .max(200)
  .describe('Name of the experiment; default: made from preset and corpus');
export const ExperimentTags = z
  .array(writtenName.max(64))
  .max(32)
  .overwrite((tags) => [...new Set(tags)])
  .describe('Tags to filter by');
export const ExperimentNotes = writtenText.max(10_000).describe('Free text');

/** The default of every field. */
const EXAMPLE_CONFIG = { ...ExperimentConfigFields.parse({}), preset: null };

/** The complete config of an experiment, as it is stored and returned: all defaults are filled in. */
export const ExperimentConfig = ExperimentConfigFields.extend({
  preset: PresetName.nullable().default(null),
  reasons: z
    .array(z.string().max(500))
    .max(32)
    .optional()
    .describe('What the preset auto chose for this text and why'),
  growVocabulary: z
    .boolean()
    .optional()
    .describe(
      'For a fork: add the words or characters of the train split that the parent’s vocabulary lacks, subject to tokenizer.minCount and tokenizer.vocabularySize. Without a parent it has no effect: the vocabulary is made from the corpus anyway',
    ),
  requires: MachineRequirements.optional(),
}).meta({ id: 'ExperimentConfig', examples: [EXAMPLE_CONFIG] });
export type ExperimentConfig = z.infer<typeof ExperimentConfig>;

/** The body of POST /experiments: a config with name, tags, notes and priority. */
export const ExperimentInput = ExperimentConfig.extend({
  budget: Budget.optional(),
  name: ExperimentName.optional(),
  tags: ExperimentTags.default([]),
  notes: ExperimentNotes.default(''),
  priority: z
    .int()
    .min(-100)
    .max(100)
    .default(0)
    .describe('Higher priorities start first; equal ones in order of creation'),
}).meta({ id: 'NewExperiment', examples: [{ preset: 'rnnlm', corpus: 'ptb', training: { epochs: 4 } }] });
export type ExperimentInput = z.infer<typeof ExperimentInput>;
