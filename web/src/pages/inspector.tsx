import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import '../styles/playground.css';
import { surprise } from '../../logic/scored-text.js';
import { Alternatives } from '../components/alternatives.js';
import { Button } from '../components/button.js';
import { Ablation } from '../components/inspector/ablation.js';
import { HeatMap } from '../components/inspector/heat-map.js';
import { Places } from '../components/inspector/places.js';
import { ModelChoice } from '../components/model-choice.js';
import { ProblemNotice } from '../components/problem-notice.js';
import { Segmented } from '../components/segmented.js';
import { TokenText } from '../components/token-text.js';
import { isLoaded } from '../state/experiments.js';
import { createInspector, type Inspector } from '../state/inspector.js';
import { t } from '../state/language.js';

export function InspectorPage({ experiment }: { readonly experiment: string | null }) {
  const inspector = useMemo(() => createInspector(experiment), [experiment]);
  const text = useSignal('The server answers each request with a status code, and the client reads it.');
  useEffect(() => () => inspector.stop(), [inspector]);
  // The sizes of the layers and the corpus are in the list of the experiments.
  const isReady = isLoaded.value && !inspector.isAtWork.value;
  const look = (event: Event) => {
    event.preventDefault();
    if (text.value.trim() !== '') void inspector.look(text.value);
  };
  return (
    <>
      <div class="page-head">
        <h1>{t('nav.inspector')}</h1>
      </div>
      <div class="stack">
        <form class="card card-body inspector-form" onSubmit={look}>
          <ModelChoice
            label={t('playground.model')}
            value={inspector.experiment.value}
            onChange={inspector.choose}
          />
          <label class="field">
            <span class="field-label">{t('playground.text')}</span>
            <textarea
              rows={3}
              value={text.value}
              onInput={({ currentTarget }) => {
                text.value = currentTarget.value;
              }}
            />
          </label>
          <Button type="submit" kind="primary" icon="lens" disabled={!isReady}>
            {t('inspector.look')}
          </Button>
        </form>
        {inspector.failure.value !== null && <ProblemNotice error={inspector.failure.value} />}
        {inspector.tokens.value.length > 0 && <Findings inspector={inspector} />}
      </div>
    </>
  );
}

function Findings({ inspector }: { readonly inspector: Inspector }) {
  const { tokens, chosen, span, colouring, ablatedTokens } = inspector;
  const read = (colouring.value === 'change' ? ablatedTokens.value : null) ?? tokens.value;
  const scored = chosen.value === null ? null : (read[chosen.value]?.scored ?? null);
  return (
    <>
      <div class="inspector-top">
        <section class="card card-body">
          <div class="chart-head">
            <h2>{t(`inspector.by.${colouring.value}`)}</h2>
            <Colouring inspector={inspector} />
          </div>
          <TokenText
            label={t('playground.text')}
            tokens={tokens.value}
            chosen={chosen.value}
            onChoose={(index) => {
              chosen.value = index;
            }}
            shade={shadeOf(inspector)}
            span={span.value}
            onSpan={(start, end) => {
              span.value = [start, end];
            }}
          />
          <p class="faint small">{t('inspector.spanHint')}</p>
        </section>
        <section class="card card-body">
          <h2>{t('inspector.alternatives')}</h2>
          <Alternatives scored={scored} />
        </section>
      </div>
      <section class="card card-body">
        <div class="chart-head">
          <h2>{t('inspector.units')}</h2>
          <UnitControls inspector={inspector} />
        </div>
        <HeatMap inspector={inspector} />
        <Ablation inspector={inspector} />
        <Search inspector={inspector} />
      </section>
    </>
  );
}

/** What the colours of the text say, of what there is. */
function Colouring({ inspector }: { readonly inspector: Inspector }) {
  const { colouring, unit, ablatedTokens } = inspector;
  const there = { surprisal: true, unit: unit.value !== null, change: ablatedTokens.value !== null };
  const options = (['surprisal', 'unit', 'change'] as const).filter((value) => there[value]);
  if (options.length === 1) return null;
  return (
    <Segmented
      label={t('inspector.colouring')}
      value={colouring.value}
      options={options.map((value) => ({ value, text: t(`inspector.colour.${value}`) }))}
      onChange={(value) => {
        colouring.value = value;
      }}
    />
  );
}

/** Nats that have the full colour at least, so that a text that hardly changed does not look as if it had. */
const LEAST_CHANGE = 0.1;

/** Colour of a token, from -1 to 1. */
function shadeOf({ tokens, unit, activations, colouring, effect }: Inspector): (index: number) => number {
  if (colouring.value === 'surprisal') return (index) => surprise(tokens.value[index]?.scored.surprisal ?? 0);
  const row = (colouring.value === 'unit' ? activations.value[unit.value ?? 0] : effect.value?.changes) ?? [];
  const least = colouring.value === 'unit' ? 1e-6 : LEAST_CHANGE;
  const highest = Math.max(least, ...row.map(Math.abs));
  return (index) => (row[index] ?? 0) / highest;
}

function UnitControls({ inspector }: { readonly inspector: Inspector }) {
  const { layer, layers, channel, channels, firstUnit, text, unit } = inspector;
  const choose = (change: () => void) => {
    change();
    unit.value = null;
    void inspector.look(text.value);
  };
  return (
    <div class="chart-controls">
      {layers.value > 1 && (
        <Segmented
          label={t('inspector.layer')}
          value={String(layer.value)}
          options={Array.from({ length: layers.value }, (_, index) => ({
            value: String(index),
            text: t('inspector.layerNumber', { layer: index + 1 }),
          }))}
          onChange={(value) =>
            choose(() => {
              layer.value = Number(value);
              firstUnit.value = 0;
            })
          }
        />
      )}
      <Segmented
        label={t('inspector.channel')}
        value={channel.value}
        options={channels.value.map((name) => ({ value: name, text: name }))}
        onChange={(value) => {
          channel.value = value;
        }}
      />
      <label class="small soft unit-offset">
        {t('inspector.firstUnit')}
        <input
          type="number"
          min={0}
          step={64}
          value={firstUnit.value}
          onChange={({ currentTarget }) =>
            choose(() => {
              firstUnit.value = Math.max(0, Math.floor(currentTarget.valueAsNumber || 0));
            })
          }
        />
      </label>
    </div>
  );
}

function Search({ inspector }: { readonly inspector: Inspector }) {
  const { unit, span, spanUnits, places, isAtWork, firstUnit } = inspector;
  return (
    <div class="stack">
      <div class="playground-actions">
        <Button
          icon="lens"
          disabled={unit.value === null || isAtWork.value}
          onClick={() => void inspector.findUnit()}
        >
          {t('inspector.findUnit')}
        </Button>
        <Button
          icon="lens"
          disabled={span.value === null || spanUnits.value.length === 0 || isAtWork.value}
          onClick={() => void inspector.findSpan()}
        >
          {t('inspector.findSpan')}
        </Button>
        {span.value !== null && (
          <span class="faint small">
            {t('inspector.spanUnits', {
              units: spanUnits.value.map((index) => index + firstUnit.value).join(', ') || '–',
            })}
          </span>
        )}
      </div>
      {places.value !== null && <Places places={places.value} />}
    </div>
  );
}
