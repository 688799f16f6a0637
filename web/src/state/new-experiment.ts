/** The form of a new experiment, and what the server says about it as one types. */
import { computed, effect, signal } from '@preact/signals';
import type { z } from 'zod';
import type { Experiment } from '../../../src/contracts/experiment.js';
import type { ExperimentPlan as ExperimentPlanSchema } from '../../../src/contracts/http.js';
import { type FormField, fieldsOf, type JsonSchema } from '../../logic/form-schema.js';
import { bodyOf, type Draft, errorsByField, mergeConfig, pathsOf } from '../../logic/form-values.js';
import { listCorpora } from '../api/corpora.js';
import { getPresets, type PresetList } from '../api/experiments.js';
import { messageOf, ProblemError } from '../api/problem.js';
import { request } from '../api/request.js';
import { notify } from './notices.js';

export type ExperimentPlan = z.infer<typeof ExperimentPlanSchema>;

/** Fields that stand outside of the sections. */
const LEADING = new Set(['name', 'tags', 'notes', 'priority', 'preset', 'corpus']);
const DRY_RUN_DELAY_MS = 500;

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiCall>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}
interface OpenApiCall {
  readonly requestBody: {
    readonly content: { readonly 'application/json': { readonly schema: JsonSchema } };
  };
}

export type NewExperiment = ReturnType<typeof openNewExperiment>;

/** @param parent the experiment to fork; null = a new one */
export function openNewExperiment(parent: Experiment | null, firstPreset: string | null) {
  const fields = signal<readonly FormField[]>([]);
  const presets = signal<PresetList['items']>([]);
  /** Names that may stand in a field; others may too. */
  const suggestions = signal<Readonly<Record<string, readonly string[]>>>({});
  const preset = signal<string | null>(parent ? parent.config.preset : firstPreset);
  const draft = signal<Draft>(parent ? { name: `${parent.name}, fork` } : {});
  const plan = signal<ExperimentPlan | null>(null);
  /** Of the schema or of the last dry run. */
  const failure = signal<unknown>(null);
  /** Of the last submit. A dry run that ends later says nothing about it, so only typing or another submit clears it. */
  const submitFailure = signal<unknown>(null);
  const isPlanning = signal(false);
  let abort = new AbortController();
  let isOpen = true;
  /** An unchanged body keeps its key: where the answer was lost, a second click gets the experiment that is already there. */
  let sent = { body: '', key: '' };

  /** What the fields show where nothing was typed. */
  const base = computed<object>(
    () => parent?.config ?? presets.value.find(({ name }) => name === preset.value)?.config ?? {},
  );
  const body = computed(() => {
    const changes = bodyOf(fields.value, draft.value, base.value);
    return parent || preset.value === null ? changes : { preset: preset.value, ...changes };
  });
  const issues = computed(() => {
    const refused = errorsOf(submitFailure.value);
    const found = refused.length > 0 ? refused : errorsOf(failure.value);
    return errorsByField(found, pathsOf(fields.value));
  });
  /** Why the last submit failed, where `issues` does not say it. */
  const refusal = computed(() => (errorsOf(submitFailure.value).length > 0 ? null : submitFailure.value));

  const load = async () => {
    try {
      const [document, items] = await Promise.all([request<OpenApi>('/openapi.json'), getPresets()]);
      const { schema } = document.paths['/experiments']!.post!.requestBody.content['application/json'];
      presets.value = items;
      fields.value = fieldsOf(schema, document.components.schemas).filter(({ path }) => path !== 'preset');
    } catch (error) {
      failure.value = error;
    }
  };
  void load();
  listCorpora().then(
    (corpora) => {
      suggestions.value = { corpus: corpora.map(({ name }) => name) };
    },
    () => {}, // a name can be typed
  );

  const stopPlanning = effect(() => {
    const planned = parent ? mergeConfig(parent.config, body.value) : body.value;
    if (fields.value.length === 0) return;
    abort.abort();
    abort = new AbortController();
    const { signal: cancelled } = abort;
    isPlanning.value = true;
    setTimeout(() => void dryRun(planned, cancelled), DRY_RUN_DELAY_MS);
  });

  async function dryRun(planned: object, cancelled: AbortSignal): Promise<void> {
    if (cancelled.aborted) return;
    try {
      plan.value = await request<ExperimentPlan>('/experiments?dryRun=true', {
        method: 'POST',
        body: planned,
        signal: cancelled,
      });
      failure.value = null;
    } catch (error) {
      if (cancelled.aborted) return;
      plan.value = null;
      failure.value = error;
    }
    isPlanning.value = false;
  }

  function change(next: Draft): void {
    draft.value = next;
    submitFailure.value = null;
  }

  const path = parent ? `/experiments/${parent.id}/fork` : '/experiments';
  return {
    parent,
    fields,
    presets,
    suggestions,
    preset,
    draft,
    base,
    body,
    plan,
    failure,
    refusal,
    issues,
    isPlanning,
    sections: computed(() => fields.value.filter(({ path }) => !LEADING.has(path))),
    path,
    isOpen: () => isOpen,
    type(field: string, value: string | boolean): void {
      change({ ...draft.value, [field]: value });
    },
    clear(field: string): void {
      const { [field]: _, ...rest } = draft.value;
      change(rest);
    },
    choosePreset(name: string | null): void {
      preset.value = name;
      const { name: typedName, tags, notes, corpus } = draft.value;
      const kept = Object.entries({ name: typedName, tags, notes, corpus });
      change(Object.fromEntries(kept.filter(([, value]) => value !== undefined)) as Draft);
    },
    /** null = it failed: `issues` or `refusal` says why, or a notice where the form is no longer open. */
    async submit(): Promise<Experiment | null> {
      submitFailure.value = null;
      const text = JSON.stringify(body.value);
      if (sent.body !== text) sent = { body: text, key: randomKey() };
      try {
        return await request<Experiment>(path, {
          method: 'POST',
          body: body.value,
          headers: { 'idempotency-key': sent.key },
        });
      } catch (error) {
        if (isOpen) submitFailure.value = error;
        else notify('failed', messageOf(error));
        return null;
      }
    },
    close(): void {
      isOpen = false;
      stopPlanning();
      abort.abort();
    },
  };
}

function errorsOf(error: unknown) {
  return error instanceof ProblemError ? (error.problem.errors ?? []) : [];
}

/** Not crypto.randomUUID: browsers have that only over https or on localhost. */
function randomKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
