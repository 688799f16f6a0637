import type { Experiment } from '../../../../src/contracts/experiment.js';
import { isActive } from '../../../logic/experiment-actions.js';
import { formatCount, formatDelta, formatFigure } from '../../../logic/format.js';
import { durationText } from '../../state/duration.js';
import { t } from '../../state/language.js';
import { baseline } from '../../state/list-view.js';

interface Figure {
  readonly label: string;
  readonly value: string;
  readonly detail?: string | null;
}

export function RunFigures({ experiment }: { readonly experiment: Experiment }) {
  const { best, latest, test, parameterCount, vocabularySize, state, startedAt, endedAt, run } = experiment;
  const pinned = baseline.value?.id === experiment.id ? null : baseline.value;
  const delta = formatDelta(best.validPerplexity, pinned?.best.validPerplexity);
  const seconds =
    startedAt === null
      ? null
      : (Date.parse(endedAt ?? new Date().toISOString()) - Date.parse(startedAt)) / 1000;
  const figures: readonly Figure[] = [
    {
      label: t('figure.best'),
      value: formatFigure(best.validPerplexity),
      detail:
        delta !== null && pinned
          ? t('figure.delta', { delta, name: pinned.name })
          : best.epoch === null
            ? null
            : t('figure.atEpoch', { epoch: best.epoch }),
    },
    {
      label: t('figure.latest'),
      value: formatFigure(latest.validPerplexity),
      detail: t('figure.train', { value: formatFigure(latest.trainPerplexity) }),
    },
    {
      label: t('figure.test'),
      value: formatFigure(test.perplexity),
      detail: test.perplexity === null ? t('figure.testLater') : null,
    },
    {
      label: isActive(state) ? t('figure.speed') : t('figure.lastSpeed'),
      value: formatCount(latest.tokensPerSecond),
      detail: run ? `${run.kernels} · ${t('figure.threads', { count: run.threads })}` : null,
    },
    {
      label: t('figure.parameters'),
      value: formatCount(parameterCount),
      detail: vocabularySize === null ? null : t('figure.vocabulary', { count: formatCount(vocabularySize) }),
    },
    { label: endedAt === null ? t('figure.since') : t('figure.took'), value: durationText(seconds) },
  ];
  return (
    <dl class="figures card">
      {figures.map(({ label, value, detail }) => (
        <div key={label} class="figure">
          <dt>{label}</dt>
          <dd class="figure-value number">{value}</dd>
          <dd class="figure-detail">{detail ?? ''}</dd>
        </div>
      ))}
    </dl>
  );
}
