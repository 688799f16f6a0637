import { useSignal } from '@preact/signals';
import { t } from '../../state/language.js';
import { eventsOf, type FollowedRun } from '../../state/run.js';

/** Texts that the model wrote after its epochs: one reads it learn. */
export function RunSamples({ run }: { readonly run: FollowedRun }) {
  const events = eventsOf(run);
  const isNewestFirst = useSignal(true);
  const samples = events.filter(({ type }) => type === 'sample');
  if (samples.length === 0) return <p class="faint">{t('samples.none')}</p>;
  const shown = isNewestFirst.value ? samples.toReversed() : samples;
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
            <span class="sample-epoch">{t('axis.epochValue', { epoch: String(data.epoch) })}</span>
            <blockquote>{String(data.text).replace(/^\s*\n/, '')}</blockquote>
          </li>
        ))}
      </ol>
    </>
  );
}
