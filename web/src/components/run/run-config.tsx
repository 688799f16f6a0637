import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Experiment } from '../../../../src/contracts/experiment.js';
import { compareConfigs } from '../../../logic/config-difference.js';
import { getPresets, type PresetList } from '../../api/experiments.js';
import { t } from '../../state/language.js';

/** The whole config, with what differs from its preset. */
export function RunConfig({ experiment }: { readonly experiment: Experiment }) {
  const presets = useSignal<PresetList['items']>([]);
  const showsAll = useSignal(false);
  useEffect(() => {
    getPresets().then(
      (items) => {
        presets.value = items;
      },
      () => {}, // the config is shown without
    );
  }, []);
  const { preset: name, ...config } = experiment.config;
  const preset = presets.value.find((item) => item.name === name);
  const base = preset && withoutPreset(preset.config);
  const rows = compareConfigs(base ? [config, base] : [config]);
  const changed = rows.filter(({ differs }) => differs);
  const shown = base && !showsAll.value ? changed : rows;
  return (
    <>
      {base && (
        <p class="config-head">
          {t('config.preset', { preset: name ?? '', count: changed.length })}{' '}
          <button
            type="button"
            class="button button-quiet small"
            onClick={() => {
              showsAll.value = !showsAll.value;
            }}
          >
            {showsAll.value ? t('config.showChanged') : t('config.showAll')}
          </button>
        </p>
      )}
      <table class="config">
        <thead>
          <tr>
            <th scope="col">{t('config.setting')}</th>
            <th scope="col">{t('config.value')}</th>
            {base && <th scope="col">{t('config.presetValue')}</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map(({ path, values, differs }) => (
            <tr key={path} class={differs ? 'differs' : ''}>
              <th scope="row" class="mono">
                {path}
              </th>
              <td class="mono">{values[0]}</td>
              {base && <td class="mono faint">{values[1]}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function withoutPreset<Config extends { readonly preset: unknown }>({ preset: _, ...config }: Config) {
  return config;
}
