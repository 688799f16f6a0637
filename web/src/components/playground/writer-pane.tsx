import { t } from '../../state/language.js';
import type { Writer } from '../../state/playground.js';
import { Alternatives } from '../alternatives.js';
import { ModelChoice } from '../model-choice.js';
import { ProblemNotice } from '../problem-notice.js';
import { TokenText } from '../token-text.js';

/** What one model writes, with what else it could have written. */
export function WriterPane({ writer }: { readonly writer: Writer }) {
  const tokens = writer.tokens.value;
  const chosen = writer.chosen.value;
  const text = writer.text.value;
  const unknown = writer.unknownWords.value;
  return (
    <div class="card card-body pane">
      <ModelChoice label={t('playground.model')} value={writer.experiment.value} onChange={writer.choose} />
      {writer.failure.value !== null && <ProblemNotice error={writer.failure.value} />}
      {tokens.length > 0 ? (
        <TokenText
          label={t('playground.text')}
          tokens={tokens}
          chosen={chosen}
          onChoose={(index) => {
            writer.chosen.value = index;
          }}
        />
      ) : (
        <p class="written" aria-busy={writer.isWriting.value}>
          <span class="faint">{text !== '' || writer.isWriting.value ? writer.prompt.value : ''}</span>
          {text}
          {writer.isWriting.value && <span class="caret" aria-hidden="true" />}
          {text === '' && !writer.isWriting.value && <span class="faint">{t('playground.empty')}</span>}
        </p>
      )}
      {unknown.length > 0 && (
        <p class="faint small">{t('playground.unknown', { words: unknown.join(', ') })}</p>
      )}
      {tokens.length > 0 && (
        <Alternatives scored={chosen === null ? null : (tokens[chosen]?.scored ?? null)} />
      )}
    </div>
  );
}
