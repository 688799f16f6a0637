import { formatCount } from '../../../logic/format.js';
import { t } from '../../state/language.js';
import type { NewExperiment } from '../../state/new-experiment.js';

/** Named recipes, with what they are to reach. */
export function PresetChoice({ form }: { readonly form: NewExperiment }) {
  const { presets, preset } = form;
  return (
    <fieldset class="presets">
      <legend>{t('new.preset')}</legend>
      {presets.value.map(({ name, description, ptbTestPerplexity, ptbParameterCount }) => (
        <label key={name} class="preset card">
          <input
            type="radio"
            name="preset"
            value={name}
            checked={preset.value === name}
            onChange={() => form.choosePreset(name)}
          />
          <span class="preset-name">{name}</span>
          <span class="field-hint">{description}</span>
          {ptbTestPerplexity !== null && (
            <span class="preset-figures">
              {t('new.presetFigures', {
                perplexity: ptbTestPerplexity,
                parameters: formatCount(ptbParameterCount),
              })}
            </span>
          )}
        </label>
      ))}
    </fieldset>
  );
}
