import type { Signal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { MessageKey } from '../../../logic/messages/translate.js';
import { t } from '../../state/language.js';
import type { Sampling } from '../../state/playground.js';
import { Button } from '../button.js';

interface Control {
  readonly name: keyof Sampling;
  readonly text: MessageKey;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

const CONTROLS: readonly Control[] = [
  { name: 'maxTokens', text: 'sampling.maxTokens', min: 1, max: 1000, step: 1 },
  { name: 'temperature', text: 'sampling.temperature', min: 0, max: 2, step: 0.05 },
  { name: 'topK', text: 'sampling.topK', min: 0, max: 200, step: 1 },
  { name: 'topP', text: 'sampling.topP', min: 0.05, max: 1, step: 0.05 },
  { name: 'minP', text: 'sampling.minP', min: 0, max: 0.5, step: 0.01 },
  { name: 'repetitionPenalty', text: 'sampling.repetitionPenalty', min: 1, max: 2, step: 0.05 },
];

export function SamplingControls({ sampling }: { readonly sampling: Signal<Sampling> }) {
  const change = (name: keyof Sampling, value: number) => {
    sampling.value = { ...sampling.value, [name]: value };
  };
  const draw = () => change('seed', Math.floor(Math.random() * 1_000_000));
  return (
    <section class="card card-body sampling">
      <h2>{t('sampling.title')}</h2>
      {CONTROLS.map((control) => (
        <Slider
          key={control.name}
          control={control}
          value={sampling.value[control.name]}
          onChange={(value) => change(control.name, value)}
        />
      ))}
      <div class="sampling-seed">
        <label class="field">
          <span class="field-label">{t('sampling.seed')}</span>
          <input
            type="number"
            min={0}
            max={4_294_967_295}
            value={sampling.value.seed}
            onInput={({ currentTarget }) =>
              change('seed', Math.max(0, Math.floor(currentTarget.valueAsNumber || 0)))
            }
          />
        </label>
        <Button icon="retry" label={t('sampling.draw')} onClick={draw} />
      </div>
      <p class="field-hint">{t('sampling.seedHint')}</p>
    </section>
  );
}

interface SliderProps {
  readonly control: Control;
  readonly value: number;
  readonly onChange: (value: number) => void;
}

function Slider({ control: { text, min, max, step }, value, onChange }: SliderProps) {
  const id = useId();
  return (
    <div class="slider">
      <label htmlFor={id}>{t(text)}</label>
      <output class="number" htmlFor={id}>
        {value}
      </output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.valueAsNumber)}
      />
    </div>
  );
}
