import { changeChart, chartView } from '../state/chart-view.js';
import { t } from '../state/language.js';
import { Button } from './button.js';
import { Segmented } from './segmented.js';

interface ChartControlsProps {
  readonly isZoomed: boolean;
  readonly onReset: () => void;
}

export function ChartControls({ isZoomed, onReset }: ChartControlsProps) {
  const { axis, isLogarithmic, smoothing } = chartView.value;
  return (
    <div class="chart-controls">
      {isZoomed && <Button onClick={onReset}>{t('chart.showAll')}</Button>}
      <label class="smoothing small soft">
        {t('chart.smoothing')}
        <input
          type="range"
          min={0}
          max={0.98}
          step={0.02}
          value={smoothing}
          onInput={({ currentTarget }) => changeChart({ smoothing: Number(currentTarget.value) })}
        />
      </label>
      <Segmented
        label={t('chart.scale')}
        value={isLogarithmic ? 'log' : 'linear'}
        options={[
          { value: 'log', text: t('chart.log') },
          { value: 'linear', text: t('chart.linear') },
        ]}
        onChange={(value) => changeChart({ isLogarithmic: value === 'log' })}
      />
      <Segmented
        label={t('chart.axis')}
        value={axis}
        options={[
          { value: 'step', text: t('axis.step') },
          { value: 'epoch', text: t('axis.epoch') },
          { value: 'tokens', text: t('axis.tokens') },
          { value: 'time', text: t('axis.time') },
        ]}
        onChange={(value) => changeChart({ axis: value })}
      />
    </div>
  );
}
