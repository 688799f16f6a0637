import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/form.css';
import type { FormField } from '../../logic/form-schema.js';
import type { MessageKey } from '../../logic/messages/translate.js';
import { getExperiment } from '../api/experiments.js';
import { Button } from '../components/button.js';
import { Estimate } from '../components/form/estimate.js';
import { FieldInput, Fields } from '../components/form/form-field.js';
import { PresetChoice } from '../components/form/preset-choice.js';
import { ProblemNotice } from '../components/problem-notice.js';
import { put, refresh } from '../state/experiments.js';
import { t } from '../state/language.js';
import { type NewExperiment, openNewExperiment } from '../state/new-experiment.js';
import { notify } from '../state/notices.js';
import { goTo } from '../state/router.js';

interface NewExperimentPageProps {
  readonly fork: string | null;
  readonly preset: string | null;
}

/** Another parent or preset is another page: nothing of the form before can be clicked while the parent is read. */
export function NewExperimentPage(props: NewExperimentPageProps) {
  return <OpenedForm key={JSON.stringify(props)} {...props} />;
}

function OpenedForm({ fork, preset }: NewExperimentPageProps) {
  const form = useSignal<NewExperiment | null>(null);
  const failure = useSignal<unknown>(null);
  useEffect(() => {
    let opened: NewExperiment | null = null;
    const abort = new AbortController();
    const open = async () => {
      const parent = fork === null ? null : await getExperiment(fork, abort.signal);
      if (abort.signal.aborted) return;
      opened = openNewExperiment(parent, preset ?? 'auto');
      form.value = opened;
    };
    open().catch((error: unknown) => {
      if (!abort.signal.aborted) failure.value = error;
    });
    return () => {
      abort.abort();
      opened?.close();
    };
  }, [fork, preset]);
  if (failure.value) return <ProblemNotice error={failure.value} />;
  return form.value ? <Form form={form.value} /> : <p class="loading">{t('loading')}</p>;
}

const LEADING = ['name', 'corpus', 'tags', 'notes', 'priority'];

function Form({ form }: { readonly form: NewExperiment }) {
  const { parent, fields, issues, sections, base } = form;
  const isAtWork = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    isAtWork.value = true;
    const experiment = await form.submit();
    isAtWork.value = false;
    if (!experiment) return;
    put([experiment]);
    void refresh();
    notify('done', t('new.queued', { name: experiment.name }));
    // Whoever has gone to another page meanwhile stays there.
    if (form.isOpen()) goTo({ page: 'experiment', id: experiment.id });
  };
  // What is sent is made of the fields: before they are there, it would be without all that the form shows.
  const isReady = fields.value.length > 0 && !isAtWork.value;
  const leading = LEADING.flatMap((path) => fields.value.filter((field) => field.path === path));
  return (
    <form onSubmit={submit} noValidate>
      <div class="page-head">
        <h1>{parent ? t('new.forkTitle', { name: parent.name }) : t('nav.new')}</h1>
      </div>
      <div class="new-layout">
        <div class="stack">
          {issues.value.others.length > 0 && (
            <div class="problem" role="alert">
              <div>
                {issues.value.others.map((text) => (
                  <p key={text}>{text}</p>
                ))}
              </div>
            </div>
          )}
          {parent ? <p class="soft">{t('new.forkText')}</p> : <PresetChoice form={form} />}
          <section class="card card-body">
            <Fields form={form} fields={leading} base={base.value} />
          </section>
          {sections.value.map((field) => (
            <Section key={field.path} form={form} field={field} />
          ))}
        </div>
        <aside class="new-aside">
          <Estimate form={form}>
            <Button type="submit" kind="primary" disabled={!isReady}>
              {parent ? t('action.fork') : t('new.submit')}
            </Button>
          </Estimate>
        </aside>
      </div>
    </form>
  );
}

function Section({ form, field }: { readonly form: NewExperiment; readonly field: FormField }) {
  const isOpen = useSignal(false);
  const { base } = form;
  // It opens by itself where something in it is wrong, and stays open when that is corrected.
  if (isWrong(field.path, form)) isOpen.value = true;
  return (
    <details
      class="card section"
      open={isOpen.value}
      onToggle={({ currentTarget }) => {
        isOpen.value = currentTarget.open;
      }}
    >
      <summary>
        <h2>{sectionTitle(field.path)}</h2>
        <Changes form={form} path={field.path} />
      </summary>
      <div class="section-body">
        {field.kind === 'group' && !field.isNullable ? (
          <Fields form={form} fields={field.fields} base={base.value} />
        ) : (
          <FieldInput form={form} field={field} base={base.value} />
        )}
      </div>
    </details>
  );
}

const TITLES: Readonly<Record<string, MessageKey>> = {
  tokenizer: 'section.tokenizer',
  model: 'section.model',
  optimizer: 'section.optimizer',
  schedule: 'section.schedule',
  training: 'section.training',
  precision: 'section.precision',
};

function sectionTitle(path: string): string {
  const key = TITLES[path];
  return key ? t(key) : path;
}

function isWrong(path: string, { issues }: NewExperiment): boolean {
  return [...issues.value.byPath.keys()].some((wrong) => wrong === path || wrong.startsWith(`${path}.`));
}

function Changes({ form, path }: { readonly form: NewExperiment; readonly path: string }) {
  const count = Object.keys(form.draft.value).filter(
    (key) => key === path || key.startsWith(`${path}.`),
  ).length;
  return count === 0 ? null : <span class="tag">{t('form.changed', { count })}</span>;
}
