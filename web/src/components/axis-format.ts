import { formatCount, formatTick } from '../../logic/format.js';
import type { HorizontalAxis } from '../../logic/series.js';
import { durationText } from '../state/duration.js';
import { t } from '../state/language.js';

/** How a place on the axis reads. */
export function axisFormat(axis: HorizontalAxis): (x: number) => string {
  if (axis === 'time') return durationText;
  if (axis === 'epoch') return (x) => t('axis.epochValue', { epoch: Number(x.toFixed(2)) });
  if (axis === 'tokens') return (x) => t('axis.tokensValue', { tokens: formatCount(x) });
  return (x) => t('axis.stepValue', { step: formatCount(x) });
}

/** The same in short, along the axis. */
export function tickFormat(axis: HorizontalAxis): (x: number) => string {
  return axis === 'time' ? durationText : formatTick;
}
