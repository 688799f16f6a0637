import { formatFigure } from '../../../logic/format.js';
import type { Place } from '../../state/inspector.js';
import { t } from '../../state/language.js';

/** Places of the corpus, each within its line. */
export function Places({ places }: { readonly places: readonly Place[] }) {
  if (places.length === 0) return <p class="faint small">{t('inspector.noPlaces')}</p>;
  return (
    <ol class="places">
      {places.map(({ before, at, after, figure }) => (
        <li key={`${before}${at}${after}`}>
          <span class="number small faint">{formatFigure(figure)}</span>
          <span>
            {before}
            <mark>{at}</mark>
            {after}
          </span>
        </li>
      ))}
    </ol>
  );
}
