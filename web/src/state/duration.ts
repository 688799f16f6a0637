import { formatDuration } from '../../logic/format.js';
import { t } from './language.js';

/** A length of time in the present language. */
export function durationText(seconds: number | null | undefined): string {
  return formatDuration(seconds, {
    day: t('unit.day'),
    hour: t('unit.hour'),
    minute: t('unit.minute'),
    second: t('unit.second'),
  });
}
