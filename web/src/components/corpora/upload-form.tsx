import { useSignal } from '@preact/signals';
import { formatPercent } from '../../../logic/format.js';
import { type Upload, uploadCorpus } from '../../api/corpora.js';
import { messageOf } from '../../api/problem.js';
import { t } from '../../state/language.js';
import { notify } from '../../state/notices.js';
import { goTo, route } from '../../state/router.js';
import { Button } from '../button.js';

/** Uploads a text, with its progress; it can be cancelled on the way. */
export function UploadForm({ onDone }: { readonly onDone: () => void }) {
  const upload = useSignal<Upload | null>(null);
  const part = useSignal(0);
  const failure = useSignal<string | null>(null);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const element = event.currentTarget as HTMLFormElement;
    const given = new FormData(element);
    const form = new FormData();
    for (const field of ['name', 'validFraction', 'testFraction'])
      form.set(field, given.get(field) as string);
    form.set('file', given.get('file') as File); // files come after the fields that say what they are
    const opened = route.value;
    part.value = 0;
    failure.value = null;
    upload.value = uploadCorpus(form, (sent) => {
      part.value = sent;
    });
    try {
      const corpus = await upload.value.done;
      notify('done', t('corpora.uploaded', { name: corpus.name }));
      element.reset();
      onDone();
      if (route.value === opened) goTo({ page: 'corpora', name: corpus.name }); // who has gone elsewhere stays there
    } catch (error) {
      const isCancelled = error instanceof DOMException && error.name === 'AbortError';
      failure.value = isCancelled ? t('corpora.cancelled') : messageOf(error);
    } finally {
      upload.value = null;
    }
  }

  /** A file gives its name to a corpus that has none yet. */
  const takeName = (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    const name = input.form?.elements.namedItem('name') as HTMLInputElement;
    const file = input.files?.[0];
    if (file && name.value === '')
      name.value = file.name.replace(/\.[^.]*$/, '').replace(/[^A-Za-z0-9._-]+/g, '-');
  };

  return (
    <form class="card card-body stack" onSubmit={submit}>
      <h2>{t('corpora.upload')}</h2>
      <fieldset class="upload-fields stack" disabled={upload.value !== null}>
        <label class="field">
          <span class="field-label">{t('corpora.file')}</span>
          <input type="file" name="file" accept=".txt,.text,.md,text/plain" required onChange={takeName} />
          <span class="field-hint">{t('corpora.fileHint')}</span>
        </label>
        <label class="field">
          <span class="field-label">{t('column.name')}</span>
          <input
            name="name"
            required
            pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
            maxLength={100}
            autocomplete="off"
          />
        </label>
        <div class="upload-fractions">
          <FractionField name="validFraction" label={t('corpora.validPart')} />
          <FractionField name="testFraction" label={t('corpora.testPart')} />
        </div>
      </fieldset>
      {failure.value !== null && (
        <p class="field-error" role="alert">
          {failure.value}
        </p>
      )}
      {upload.value ? (
        <div class="upload-progress" role="status">
          <span class="progress" aria-hidden="true">
            <span style={{ width: `${part.value * 100}%` }} />
          </span>
          <span class="small number">
            {part.value < 1 ? formatPercent(part.value) : t('corpora.counting')}
          </span>
          <Button onClick={() => upload.value?.cancel()}>{t('action.cancel')}</Button>
        </div>
      ) : (
        <Button type="submit" kind="primary" icon="upload">
          {t('corpora.upload')}
        </Button>
      )}
    </form>
  );
}

function FractionField({ name, label }: { readonly name: string; readonly label: string }) {
  return (
    <label class="field">
      <span class="field-label">{label}</span>
      <input name={name} type="number" min={0.001} max={0.9} step="any" defaultValue="0.05" required />
    </label>
  );
}
