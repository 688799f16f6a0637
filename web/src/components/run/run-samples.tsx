import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { QualityFigures } from '../../../../src/contracts/sample-quality.js';
import { formatPercent } from '../../../logic/format.js';
import type { LiveEvent } from '../../../logic/live-events.js';
import { KEPT_SAMPLES } from '../../../logic/live-run.js';
import { getHistory } from '../../api/experiments.js';
import { t } from '../../state/language.js';
import { attempt } from '../../state/notices.js';
import { eventsOf, type FollowedRun } from '../../state/run.js';

interface RunSamplesProps {
  readonly id: string;
  readonly run: FollowedRun;
}

/**
 * Texts that the model wrote after its epochs: one reads it learn. A long training has thousands: the latest are shown until all
 * are asked for.
 */
export function RunSamples({ id, run }: RunSamplesProps) {
  const latest = eventsOf(run).filter(({ type }) => type === 'sample');
  const isNewestFirst = useSignal(true);
  /** Read from the server: the page does not keep all. */
  const all = useSignal<readonly LiveEvent[] | null>(null);
  const readAll = async () => {
    all.value = (await attempt(() => getHistory(id, ['sample']))) ?? null;
  };
  const lastRead = all.value?.at(-1)?.seq ?? -1;
  const isBehind = all.value !== null && latest.length === KEPT_SAMPLES && latest[0]!.seq > lastRead;
  useEffect(() => {
    if (isBehind) void readAll();
  }, [isBehind]);
  if (latest.length === 0) return <p class="faint">{t('samples.none')}</p>;
  const shown = [...(all.value ?? []), ...latest.filter(({ seq }) => seq > lastRead)];
  const isCut = shown.length < run.live.sampleCount && all.value === null;
  return (
    <>
      <button
        type="button"
        class="button button-quiet small"
        onClick={() => {
          isNewestFirst.value = !isNewestFirst.value;
          if (isCut) void readAll(); // the oldest are not kept
        }}
      >
        {isNewestFirst.value ? t('samples.oldestFirst') : t('samples.newestFirst')}
      </button>
      <ol class="samples">
        {(isNewestFirst.value ? shown.toReversed() : shown).map(({ seq, data }) => (
          <li key={seq}>
            <span class="sample-epoch">
              {t('axis.epochValue', { epoch: String(data.epoch) })} {describeQuality(data.quality)}
            </span>
            <blockquote>{String(data.text).replace(/^\s*\n/, '')}</blockquote>
          </li>
        ))}
      </ol>
      {isCut && (
        <button type="button" class="button button-quiet small" onClick={() => void readAll()}>
          {t('samples.showAll', { count: run.live.sampleCount })}
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
