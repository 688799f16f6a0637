import type { ScoredToken } from '../../../src/contracts/score.js';
import { formatFigure, formatPercent } from '../../logic/format.js';
import { t } from '../state/language.js';

/** What could have stood in the place of a token, with how likely each was. */
export function Alternatives({ scored }: { readonly scored: ScoredToken | null }) {
  if (!scored) return <p class="faint small">{t('tokens.hint')}</p>;
  const others = (scored.inside?.alternatives ?? []).map(({ token, surprisal }) => ({ token, surprisal }));
  const isThere = others.some(({ token }) => token === scored.token);
  const rows = isThere ? others : [...others, { token: scored.token, surprisal: scored.surprisal }];
  return (
    <div class="alternatives" aria-live="polite">
      <p class="small soft">
        {t('tokens.chosen', {
          token: scored.token,
          probability: formatPercent(Math.exp(-scored.surprisal), 1),
          surprisal: formatFigure(scored.surprisal),
        })}
      </p>
      <ol>
        {rows.map(({ token, surprisal }) => {
          const probability = Math.exp(-surprisal);
          return (
            <li key={token} class={token === scored.token ? 'is-chosen' : ''}>
              <span class="mono">{token === ' ' ? '␠' : token}</span>
              <span class="alternative-bar" aria-hidden="true">
                <span style={{ width: `${Math.max(1, probability * 100)}%` }} />
              </span>
              <span class="number small">{formatPercent(probability, 1)}</span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
