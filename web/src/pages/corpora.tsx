import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/run.css';
import '../styles/corpora.css';
import type { CorpusInfo } from '../../../src/contracts/corpus.js';
import { formatBytes, formatCount } from '../../logic/format.js';
import { hrefOf } from '../../logic/routes.js';
import { listCorpora } from '../api/corpora.js';
import { CorpusDetail } from '../components/corpora/corpus-detail.js';
import { UploadForm } from '../components/corpora/upload-form.js';
import { ProblemNotice } from '../components/problem-notice.js';
import { t } from '../state/language.js';

export function CorporaPage({ name }: { readonly name: string | null }) {
  const corpora = useSignal<readonly CorpusInfo[] | null>(null);
  const failure = useSignal<unknown>(null);
  const load = () => {
    listCorpora().then(
      (items) => {
        corpora.value = items;
        failure.value = null;
      },
      (error: unknown) => {
        failure.value = error;
      },
    );
  };
  useEffect(load, []);
  return (
    <>
      <div class="page-head">
        <h1>{t('nav.corpora')}</h1>
      </div>
      {failure.value !== null && <ProblemNotice error={failure.value} onRetry={load} />}
      <div class="corpora">
        <div class="stack">
          <ul class="corpus-list card">
            {(corpora.value ?? []).map((corpus) => (
              <li key={corpus.id}>
                <CorpusEntry corpus={corpus} isChosen={name === corpus.name || name === corpus.id} />
              </li>
            ))}
          </ul>
          {/* The list comes above it: a form that was there before would move under the hand. */}
          {(corpora.value ?? failure.value) !== null && <UploadForm onDone={load} />}
        </div>
        {name === null ? (
          <p class="faint corpora-hint">{t('corpora.choose')}</p>
        ) : (
          <CorpusDetail key={name} name={name} onDeleted={load} />
        )}
      </div>
    </>
  );
}

function CorpusEntry({ corpus, isChosen }: { readonly corpus: CorpusInfo; readonly isChosen: boolean }) {
  const { name, kind, available, tokens, bytes, description } = corpus;
  const facts = [
    tokens !== null && t('corpora.tokens', { count: formatCount(tokens) }),
    bytes !== null && formatBytes(bytes),
    !available && t('corpora.later'),
  ];
  return (
    <a
      class="corpus"
      href={hrefOf({ page: 'corpora', name })}
      {...(isChosen && { 'aria-current': 'true' as const })}
    >
      <span class="corpus-name">
        {name} <span class="tag">{t(`corpus.${kind}`)}</span>
      </span>
      <span class="field-hint">{description}</span>
      <span class="faint small number">{facts.filter(Boolean).join(' · ')}</span>
    </a>
  );
}
