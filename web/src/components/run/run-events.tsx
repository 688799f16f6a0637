import { formatBytes, formatFigure, formatTimeOfDay } from '../../../logic/format.js';
import type { LiveEvent } from '../../../logic/live-events.js';
import { durationText } from '../../state/duration.js';
import { language, t } from '../../state/language.js';
import { eventsOf, type FollowedRun } from '../../state/run.js';

const SHOWN = 500;

/** What happened, newest first; texts and steps are elsewhere. */
export function RunEvents({ run }: { readonly run: FollowedRun }) {
  const events = eventsOf(run);
  const shown = events
    .filter(({ type }) => type !== 'sample')
    .toReversed()
    .slice(0, SHOWN);
  return (
    <ol class="events">
      {shown.map((event) => (
        <li key={event.seq}>
          <time class="faint small number" dateTime={event.time}>
            {formatTimeOfDay(event.time, language.value)}
          </time>
          <span class={`event-type event-${event.type}`}>{event.type}</span>
          <span class="soft">{describe(event)}</span>
        </li>
      ))}
    </ol>
  );
}

function describe({ type, data }: LiveEvent): string {
  const number = (field: string) => (typeof data[field] === 'number' ? data[field] : null);
  switch (type) {
    case 'epoch':
      return t('event.epoch', {
        epoch: number('epoch') ?? '–',
        train: formatFigure(number('trainPerplexity')),
        valid: formatFigure(number('validPerplexity')),
        time: durationText(number('seconds')),
      });
    case 'checkpoint':
      return t('event.checkpoint', { step: number('step') ?? '–', size: formatBytes(number('bytes')) });
    case 'started':
      return t('event.started', {
        attempt: number('attempt') ?? '–',
        kernels: String(data.kernels),
        backend: String(data.backend),
      });
    case 'warning':
      return `${String(data.message)}. ${String(data.advice)}.`;
    case 'interrupted':
    case 'rollback':
      return String(data.reason);
    case 'succeeded':
      return t('event.succeeded', { test: formatFigure(number('testPerplexity')) });
    case 'failed':
      return (data.error as { message?: string } | undefined)?.message ?? '';
    default:
      return '';
  }
}
