import { z } from 'zod';
import { ExperimentConfig } from './experiment-config.js';
import { PRESETS, PresetName } from './presets.js';
import { resolveExperimentInput } from './resolve-config.js';

/** A preset as HTTP shows it. */
export const PresetDescription = z.object({
  name: PresetName,
  description: z.string(),
  source: z.string(),
  ptbTestPerplexity: z.number().nullable().describe('Test perplexity on PTB that the source reports'),
  ptbParameterCount: z
    .int()
    .nullable()
    .describe('Parameters with PTB’s vocabulary of 10,000 words; null if the preset does not read words'),
  config: ExperimentConfig.describe('The complete config of the preset'),
});
export type PresetDescription = z.infer<typeof PresetDescription>;

export const PresetList = z
  .object({ items: z.array(PresetDescription) })
  .meta({ id: 'PresetList', examples: [{ items: [describePreset('rnnlm')] }] });

export function describePreset(name: PresetName): PresetDescription {
  const { description, source, ptbTestPerplexity, ptbParameterCount } = PRESETS[name];
  const config = ExperimentConfig.strip().parse(resolveExperimentInput({ preset: name }));
  return { name, description, source, ptbTestPerplexity, ptbParameterCount, config };
}
