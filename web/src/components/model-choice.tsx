import { formatFigure } from '../../logic/format.js';
import { experimentList } from '../state/experiments.js';
import { t } from '../state/language.js';

interface ModelChoiceProps {
  readonly label: string;
  readonly value: string | null;
  readonly onChange: (id: string | null) => void;
}

/** Experiments that have weights. */
export function ModelChoice({ label, value, onChange }: ModelChoiceProps) {
  const models = experimentList.value.filter(
    ({ best, state }) => best.epoch !== null || state === 'succeeded',
  );
  return (
    <label class="field">
      <span class="field-label">{label}</span>
      <select value={value ?? ''} onChange={({ currentTarget }) => onChange(currentTarget.value || null)}>
        <option value="">{t('models.best')}</option>
        {models.map(({ id, name, best, config }) => (
          <option key={id} value={id}>
            {name} · {config.corpus} · {formatFigure(best.validPerplexity)}
          </option>
        ))}
      </select>
    </label>
  );
}
