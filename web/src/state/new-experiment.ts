/** The form of a new experiment, and what the server says about it as one types. */
import { computed, effect, signal } from '@preact/signals';
import type { z } from 'zod';
import type { Experiment } from '../../../src/contracts/experiment.js';
import type { ExperimentPlan as ExperimentPlanSchema } from '../../../src/contracts/http.js';
import { type FormField, fieldsOf, type JsonSchema } from '../../logic/form-schema.js';
import { bodyOf, type Draft, errorsByField, mergeConfig, pathsOf } from '../../logic/form-values.js';
import { listCorpora } from '../api/corpora.js';
import { getPresets, type PresetList } from '../api/experiments.js';
import { ProblemError } from '../api/problem.js';
import { request } from '../api/request.js';

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
  const failure = signal<unknown>(null);
  const isPlanning = signal(false);
  let abort = new AbortController();

  /** What the fields show where nothing was typed. */
  const base = computed<object>(
    () => parent?.config ?? presets.value.find(({ name }) => name === preset.value)?.config ?? {},
  );
  const body = computed(() => {
    const changes = bodyOf(fields.value, draft.value, base.value);
    return parent || preset.value === null ? changes : { preset: preset.value, ...changes };
  });
  const issues = computed(() => {
    const error = failure.value;
    const found = error instanceof ProblemError ? (error.problem.errors ?? []) : [];
    return errorsByField(found, pathsOf(fields.value));
  });

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
    issues,
    isPlanning,
    sections: computed(() => fields.value.filter(({ path }) => !LEADING.has(path))),
    path: parent ? `/experiments/${parent.id}/fork` : '/experiments',
    type(path: string, value: string | boolean): void {
      draft.value = { ...draft.value, [path]: value };
    },
    clear(path: string): void {
      const { [path]: _, ...rest } = draft.value;
      draft.value = rest;
    },
    choosePreset(name: string | null): void {
      preset.value = name;
      const { name: typedName, tags, notes, corpus } = draft.value;
      const kept = Object.entries({ name: typedName, tags, notes, corpus });
      draft.value = Object.fromEntries(kept.filter(([, value]) => value !== undefined)) as Draft;
    },
    /** @throws ProblemError */
    submit(): Promise<Experiment> {
      return request<Experiment>(parent ? `/experiments/${parent.id}/fork` : '/experiments', {
        method: 'POST',
        body: body.value,
        headers: { 'idempotency-key': crypto.randomUUID() },
      });
    },
    close(): void {
      stopPlanning();
      abort.abort();
    },
  };
}
