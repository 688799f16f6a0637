import { useSignal } from '@preact/signals';
import type { QualityFigures } from '../../../../src/contracts/sample-quality.js';
import { formatPercent } from '../../../logic/format.js';
import { t } from '../../state/language.js';
import { eventsOf, type FollowedRun } from '../../state/run.js';

/** A long training has thousands: the page stays quick. */
const SHOWN = 200;

/** Texts that the model wrote after its epochs: one reads it learn. */
export function RunSamples({ run }: { readonly run: FollowedRun }) {
  const events = eventsOf(run);
  const isNewestFirst = useSignal(true);
  const isWhole = useSignal(false);
  const samples = events.filter(({ type }) => type === 'sample');
  if (samples.length === 0) return <p class="faint">{t('samples.none')}</p>;
  const ordered = isNewestFirst.value ? samples.toReversed() : samples;
  const shown = isWhole.value ? ordered : ordered.slice(0, SHOWN);
  return (
    <>
      <button
        type="button"
        class="button button-quiet small"
        onClick={() => {
          isNewestFirst.value = !isNewestFirst.value;
        }}
      >
        {isNewestFirst.value ? t('samples.oldestFirst') : t('samples.newestFirst')}
      </button>
      <ol class="samples">
        {shown.map(({ seq, data }) => (
          <li key={seq}>
            <span class="sample-epoch">
              {t('axis.epochValue', { epoch: String(data.epoch) })} {describeQuality(data.quality)}
            </span>
            <blockquote>{String(data.text).replace(/^\s*\n/, '')}</blockquote>
          </li>
        ))}
      </ol>
      {shown.length < ordered.length && (
        <button
          type="button"
          class="button button-quiet small"
          onClick={() => {
            isWhole.value = true;
          }}
        >
          {t('samples.showAll', { count: ordered.length })}
        </button>
      )}
    </>
  );
}

/** Samples of earlier versions were not measured. */
function describeQuality(quality: unknown): string {
  if (!quality) return '';
  const { copiedShare, repetition } = quality as QualityFigures;
  return t('samples.quality', { copied: formatPercent(copiedShare), repeated: formatPercent(repetition) });
}
