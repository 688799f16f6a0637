import { useSignal } from '@preact/signals';
import type { CorpusInfo, TokenFigures, TokenizerConfig } from '../../../../src/contracts/corpus.js';
import { formatCount, formatFigure, formatPercent } from '../../../logic/format.js';
import { countTokens } from '../../api/corpora.js';
import { t } from '../../state/language.js';
import { Button } from '../button.js';
import { ProblemNotice } from '../problem-notice.js';

type TokenizerType = TokenizerConfig['type'];
const TYPES: readonly TokenizerType[] = ['word', 'character', 'byte-pair'];

interface Count {
  readonly tokenizer: { readonly type: TokenizerType; readonly vocabularySize?: number };
  readonly figures: TokenFigures;
}

const nameOf = ({ type, vocabularySize }: Count['tokenizer']) =>
  vocabularySize === undefined ? type : `${type}, ${vocabularySize}`;

/** What tokenizers would make of a corpus, before anything is trained on it. */
export function TokenCounts({ corpus }: { readonly corpus: CorpusInfo }) {
  const counts = useSignal<readonly Count[]>([]);
  const isAtWork = useSignal(false);
  const failure = useSignal<unknown>(null);

  async function count(tokenizers: readonly Count['tokenizer'][]): Promise<void> {
    isAtWork.value = true;
    failure.value = null;
    try {
      for (const tokenizer of tokenizers) {
        const figures = await countTokens(corpus.name, tokenizer);
        const others = counts.value.filter((one) => nameOf(one.tokenizer) !== nameOf(tokenizer));
        counts.value = [...others, { tokenizer, figures }];
      }
    } catch (error) {
      failure.value = error;
    }
    isAtWork.value = false;
  }

  const countOne = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const size = Number(form.get('vocabularySize'));
    const type = form.get('type') as TokenizerType;
    void count([size > 0 ? { type, vocabularySize: size } : { type }]);
  };
  return (
    <section class="card card-body stack">
      <div class="chart-head">
        <div>
          <h2>{t('tokenCounts.title')}</h2>
          <p class="soft small">{t('tokenCounts.hint')}</p>
        </div>
        <Button disabled={isAtWork.value} onClick={() => void count(TYPES.map((type) => ({ type })))}>
          {t('tokenCounts.all')}
        </Button>
      </div>
      <form class="token-count-form" onSubmit={countOne}>
        <label class="field">
          <span class="field-label">{t('tokenCounts.tokenizer')}</span>
          <select name="type">
            {TYPES.map((type) => (
              <option key={type}>{type}</option>
            ))}
          </select>
        </label>
        <label class="field">
          <span class="field-label">{t('tokenCounts.limit')}</span>
          <input
            name="vocabularySize"
            type="number"
            min={2}
            max={1_000_000}
            placeholder={t('tokenCounts.noLimit')}
          />
        </label>
        <Button type="submit" disabled={isAtWork.value}>
          {t('tokenCounts.one')}
        </Button>
      </form>
      {failure.value !== null && <ProblemNotice error={failure.value} />}
      {counts.value.length > 0 && <CountTable counts={counts.value} corpus={corpus} />}
    </section>
  );
}

function CountTable({ counts, corpus }: { readonly counts: readonly Count[]; readonly corpus: CorpusInfo }) {
  const bytes = corpus.statistics?.train.bytes;
  return (
    <div class="table-scroll" role="region" aria-label={t('tokenCounts.title')} tabIndex={0}>
      <table class="config">
        <thead>
          <tr>
            <th scope="col">{t('tokenCounts.tokenizer')}</th>
            <th scope="col">{t('tokenCounts.train')}</th>
            <th scope="col">{t('tokenCounts.valid')}</th>
            <th scope="col">{t('tokenCounts.vocabulary')}</th>
            <th scope="col">{t('corpora.unknown')}</th>
            <th scope="col">{t('tokenCounts.bytesPerToken')}</th>
          </tr>
        </thead>
        <tbody>
          {counts.map(({ tokenizer, figures: { tokens, isExact, vocabularySize, unknownRate } }) => (
            <tr key={nameOf(tokenizer)}>
              <th scope="row">{nameOf(tokenizer)}</th>
              <td class="number">
                {isExact ? '' : '≈ '}
                {formatCount(tokens.train)}
              </td>
              <td class="number">
                {isExact ? '' : '≈ '}
                {formatCount(tokens.valid)}
              </td>
              <td class="number">
                {isExact ? '' : '≥ '}
                {formatCount(vocabularySize)}
              </td>
              <td class="number">{formatPercent(unknownRate, 2)}</td>
              <td class="number">{formatFigure(bytes === undefined ? null : bytes / tokens.train)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
