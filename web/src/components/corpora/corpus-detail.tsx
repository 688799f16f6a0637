import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { CorpusInfo, CorpusPreview, SplitName } from '../../../../src/contracts/corpus.js';
import { formatBytes, formatCount, formatPercent } from '../../../logic/format.js';
import { deleteCorpus, getCorpus, getPreview } from '../../api/corpora.js';
import { t } from '../../state/language.js';
import { attempt } from '../../state/notices.js';
import { goTo, route } from '../../state/router.js';
import { Button } from '../button.js';
import { Dialog } from '../dialog.js';
import { ProblemNotice } from '../problem-notice.js';
import { Segmented } from '../segmented.js';
import { TokenCounts } from './token-counts.js';

const SPLITS = ['train', 'valid', 'test'] as const;
const CHARACTERS = 3000;

interface CorpusDetailProps {
  readonly name: string;
  readonly onDeleted: () => void;
}

export function CorpusDetail({ name, onDeleted }: CorpusDetailProps) {
  const corpus = useSignal<CorpusInfo | null>(null);
  const preview = useSignal<CorpusPreview | null>(null);
  const split = useSignal<SplitName>('train');
  const failure = useSignal<unknown>(null);
  const isDeleting = useSignal(false);
  const fail = (error: unknown) => {
    failure.value = error;
  };
  useEffect(() => {
    getCorpus(name).then((read) => {
      corpus.value = read;
    }, fail);
  }, [name]);
  useEffect(() => {
    const abort = new AbortController();
    getPreview(name, split.value, CHARACTERS, abort.signal).then(
      (read) => {
        preview.value = read;
      },
      (error: unknown) => {
        if (!abort.signal.aborted) fail(error);
      },
    );
    return () => abort.abort(); // or the split chosen before could answer last
  }, [name, split.value]);
  const remove = async () => {
    isDeleting.value = false;
    const opened = route.value;
    const isGone = await attempt(async () => {
      await deleteCorpus(name);
      return true;
    });
    if (!isGone) return;
    onDeleted();
    if (route.value === opened) goTo({ page: 'corpora', name: null }); // who has gone elsewhere stays there
  };
  const shown = corpus.value;
  return (
    <div class="stack">
      {failure.value !== null && <ProblemNotice error={failure.value} />}
      {shown && (
        <section class="card card-body stack">
          <div class="chart-head">
            <div>
              <h2>{shown.name}</h2>
              <p class="soft small">{shown.source}</p>
            </div>
            {shown.kind === 'uploaded' && (
              <Button
                icon="trash"
                kind="danger"
                onClick={() => {
                  isDeleting.value = true;
                }}
              >
                {t('action.delete')}
              </Button>
            )}
          </div>
          {shown.statistics ? (
            <Statistics statistics={shown.statistics} />
          ) : (
            <p class="soft small">{t('corpora.notCounted')}</p>
          )}
        </section>
      )}
      {shown?.available && <TokenCounts corpus={shown} />}
      <section class="card card-body stack">
        <div class="chart-head">
          <h2>{t('corpora.preview')}</h2>
          <Segmented
            label={t('corpora.split')}
            value={split.value}
            options={SPLITS.map((value) => ({ value, text: value }))}
            onChange={(value) => {
              split.value = value;
            }}
          />
        </div>
        <pre class="preview" role="region" tabIndex={0} aria-label={t('corpora.preview')}>
          {preview.value?.text}
          {preview.value?.truncated ? ' …' : ''}
        </pre>
      </section>
      {isDeleting.value && (
        <Dialog
          title={t('corpora.deleteTitle', { name })}
          onClose={() => {
            isDeleting.value = false;
          }}
        >
          <p class="soft">{t('corpora.deleteText')}</p>
          <div class="dialog-actions">
            <Button kind="danger" icon="trash" onClick={() => void remove()}>
              {t('action.delete')}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

function Statistics({ statistics }: { readonly statistics: NonNullable<CorpusInfo['statistics']> }) {
  return (
    <div class="table-scroll" role="region" aria-label={t('corpora.tokenCount')} tabIndex={0}>
      <table class="config">
        <thead>
          <tr>
            <th scope="col">{t('corpora.split')}</th>
            <th scope="col">{t('corpora.tokenCount')}</th>
            <th scope="col">{t('corpora.types')}</th>
            <th scope="col">{t('corpora.unknown')}</th>
            <th scope="col">{t('checkpoints.size')}</th>
          </tr>
        </thead>
        <tbody>
          {SPLITS.map((name) => {
            const { tokens, types, unknownRate, bytes } = statistics[name];
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">{formatCount(tokens)}</td>
                <td class="number">{formatCount(types)}</td>
                <td class="number">{formatPercent(unknownRate, 2)}</td>
                <td class="number">{formatBytes(bytes)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
