/**
 * gatelm over HTTP, for Node and browsers: every call of the interface with the types of its contracts.
 *
 *     const gatelm = new GatelmClient({ url: 'http://127.0.0.1:8080' });
 *     const { id } = await gatelm.createExperiment({ preset: 'starter' });
 *     for await (const event of gatelm.follow(id)) console.log(event.type, event.data);
 *     for await (const text of gatelm.streamText({ experiment: id, prompt: 'The' })) process.stdout.write(text);
 *
 * Every method throws a GatelmError for what the server refuses, and a ConnectionError where nobody answers.
 */
import type { z } from 'zod';
import type { CorpusInfo, CorpusPreview, SplitName } from '../contracts/corpus.js';
import type { EvaluationRequest, EvaluationResult } from '../contracts/evaluation.js';
import type { Experiment } from '../contracts/experiment.js';
import type { ExperimentInput } from '../contracts/experiment-config.js';
import type { GenerationAnswer } from '../contracts/generation.js';
import type { Health, Readiness } from '../contracts/health.js';
import type {
  ContinueBody,
  CorpusList,
  EditExperimentBody,
  ExperimentPageBody,
  ExperimentPlan,
  GenerateInput,
  ListExperimentsQuery,
  MetricsQuery,
  RankInput,
  ScoreInput,
} from '../contracts/http.js';
import type { CheckpointList, MetricSeries } from '../contracts/metrics.js';
import type { PresetList } from '../contracts/preset-list.js';
import type { EventPage, ListEventsQuery } from '../contracts/progress.js';
import type { ArchiveQuery } from '../contracts/run-archive.js';
import type { RankResult, ScoreList, ScoreResult } from '../contracts/score.js';
import type { CreateSessionBody, Session, SessionGenerateBody, SessionState } from '../contracts/session.js';
import type { SweepInput } from '../contracts/sweep.js';
import type {
  ExtendSweepBody,
  ListSweepsQuery,
  Sweep,
  SweepEventPage,
  SweepPage,
  SweepPlanBody,
  SweepTrial,
  SweepTrialList,
  SweepTrialsQuery,
} from '../contracts/sweep-view.js';
import { type Call, Connection, type ConnectionOptions } from './connection.js';
import { type FollowOptions, followExperiment, type ProgressEvent } from './follow-experiment.js';
import { GatelmError } from './gatelm-error.js';
import { readEvents } from './read-events.js';

export { type ConnectionOptions, DEFAULT_URL } from './connection.js';
export type { FollowOptions, ProgressEvent, Snapshot } from './follow-experiment.js';
export { ConnectionError, GatelmError } from './gatelm-error.js';
export type {
  CorpusInfo,
  EvaluationResult,
  Experiment,
  GenerationAnswer,
  ScoreResult,
  Session,
  Sweep,
  SweepTrial,
};

/** What changes the state of an experiment and takes no body. */
export type Verb = 'pause' | 'resume' | 'cancel' | 'retry' | 'kill';
/** What changes the state of a sweep and takes no body. */
export type SweepVerb = 'pause' | 'resume' | 'cancel';
/** The files of an upload: one text, or one a split. */
export type CorpusFiles = { readonly file: Blob } | Readonly<Record<SplitName, Blob>>;
/** The files of a model from elsewhere. */
export interface ModelFiles {
  readonly model: Blob;
  readonly tokenizer?: Blob;
  readonly vocabulary?: Blob;
  readonly config?: Blob;
}

type Query<Schema extends z.ZodType> = Partial<z.input<Schema>>;
type Body<Schema extends z.ZodType> = z.input<Schema>;
const EVENT_STREAM = { accept: 'text/event-stream' };

export class GatelmClient {
  readonly connection: Connection;

  constructor(options: ConnectionOptions = {}) {
    this.connection = new Connection(options);
  }

  createExperiment(body: Body<typeof ExperimentInput>, idempotencyKey?: string): Promise<Experiment> {
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    return this.#json('POST', '/experiments', { body, headers });
  }

  /** What an experiment would be and take; stores nothing. */
  planExperiment(body: Body<typeof ExperimentInput>): Promise<z.infer<typeof ExperimentPlan>> {
    return this.#json('POST', '/experiments', { body, query: { dryRun: true } });
  }

  listExperiments(
    query: Query<typeof ListExperimentsQuery> = {},
  ): Promise<z.infer<typeof ExperimentPageBody>> {
    return this.#json('GET', '/experiments', { query });
  }

  /** All pages, one experiment after another. */
  async *allExperiments(query: Query<typeof ListExperimentsQuery> = {}): AsyncGenerator<Experiment> {
    let cursor: string | undefined;
    do {
      const page = await this.listExperiments({ ...query, ...(cursor && { cursor }) });
      yield* page.items;
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
  }

  getExperiment(id: string): Promise<Experiment> {
    return this.#json('GET', experimentPath(id));
  }

  editExperiment(id: string, body: Body<typeof EditExperimentBody>): Promise<Experiment> {
    return this.#json('PATCH', experimentPath(id), { body });
  }

  deleteExperiment(id: string): Promise<void> {
    return this.#json('DELETE', experimentPath(id));
  }

  /** Pauses, resumes, cancels, retries or kills an experiment. */
  control(id: string, verb: Verb): Promise<Experiment> {
    return this.#json('POST', experimentPath(id, `/${verb}`));
  }

  /** @param changes learningRate and schedule from now on */
  continueExperiment(
    id: string,
    epochs: number,
    changes: Omit<ContinueBody, 'epochs'> = {},
  ): Promise<Experiment> {
    return this.#json('POST', experimentPath(id, '/continue'), { body: { epochs, ...changes } });
  }

  /** A new experiment that begins with the weights of this one. */
  forkExperiment(id: string, changes: Record<string, unknown> = {}): Promise<Experiment> {
    return this.#json('POST', experimentPath(id, '/fork'), { body: changes });
  }

  /** Every event to the last one; reconnects by itself and misses none. */
  follow(id: string, options: FollowOptions = {}): AsyncGenerator<ProgressEvent> {
    return followExperiment(this.connection, id, options);
  }

  listEvents(id: string, query: Query<typeof ListEventsQuery> = {}): Promise<z.infer<typeof EventPage>> {
    const headers = { accept: 'application/json' };
    return this.#json('GET', experimentPath(id, '/events'), { query, headers });
  }

  getMetrics(id: string, query: Query<typeof MetricsQuery> = {}): Promise<MetricSeries> {
    return this.#json('GET', experimentPath(id, '/metrics'), { query: { ...query, format: 'json' } });
  }

  listCheckpoints(id: string): Promise<z.infer<typeof CheckpointList>> {
    return this.#json('GET', experimentPath(id, '/checkpoints'));
  }

  evaluate(id: string, body: Body<typeof EvaluationRequest>): Promise<EvaluationResult> {
    return this.#json('POST', experimentPath(id, '/evaluate'), { body });
  }

  /** The best weights as a tar archive: model.safetensors, config.json, tokenizer.json. */
  async exportModel(id: string): Promise<ReadableStream<Uint8Array>> {
    return (await this.connection.request('GET', experimentPath(id, '/export'))).body!;
  }

  importModel(name: string, files: ModelFiles): Promise<Experiment> {
    return this.#json('POST', '/experiments/import', { body: toForm({ name }, files) });
  }

  /** The whole record of a run as a .zip, for {@link importArchive} of another server. */
  async exportArchive(
    id: string,
    query: Query<typeof ArchiveQuery> = {},
  ): Promise<ReadableStream<Uint8Array>> {
    return (await this.connection.request('GET', experimentPath(id, '/archive'), { query })).body!;
  }

  importArchive(archive: Blob): Promise<Experiment> {
    const headers = { 'content-type': 'application/zip' };
    return this.#json('POST', '/experiments/import/archive', { body: archive, headers });
  }

  /** Curves and samples as an event file of TensorBoard. */
  async exportTensorBoard(id: string): Promise<ReadableStream<Uint8Array>> {
    return (await this.connection.request('GET', experimentPath(id, '/tensorboard'))).body!;
  }

  /** The curves as CSV or JSON Lines. */
  async exportMetrics(id: string, format: 'csv' | 'jsonl'): Promise<ReadableStream<Uint8Array>> {
    return (await this.connection.request('GET', experimentPath(id, '/metrics'), { query: { format } }))
      .body!;
  }

  generate(body: Body<typeof GenerateInput> = {}): Promise<GenerationAnswer> {
    return this.#json('POST', '/generate', { body });
  }

  /** The text, piece by piece, while it is written. */
  streamText(body: Body<typeof GenerateInput> = {}, signal?: AbortSignal): AsyncGenerator<string> {
    return this.#stream('/generate', body, signal);
  }

  score(body: Body<typeof ScoreInput>): Promise<ScoreResult | ScoreList> {
    return this.#json('POST', '/score', { body });
  }

  rank(body: Body<typeof RankInput>): Promise<RankResult> {
    return this.#json('POST', '/rank', { body });
  }

  createSweep(body: Body<typeof SweepInput>): Promise<Sweep> {
    return this.#json('POST', '/sweeps', { body });
  }

  /** What a sweep would try and how long it would take; stores nothing. */
  planSweep(body: Body<typeof SweepInput>): Promise<SweepPlanBody> {
    return this.#json('POST', '/sweeps', { body, query: { dryRun: true } });
  }

  listSweeps(query: Query<typeof ListSweepsQuery> = {}): Promise<z.infer<typeof SweepPage>> {
    return this.#json('GET', '/sweeps', { query });
  }

  /** @param id or name */
  getSweep(id: string): Promise<Sweep> {
    return this.#json('GET', sweepPath(id));
  }

  getSweepTrials(
    id: string,
    query: Query<typeof SweepTrialsQuery> = {},
  ): Promise<z.infer<typeof SweepTrialList>> {
    return this.#json('GET', sweepPath(id, '/trials'), { query: { ...query, format: 'json' } });
  }

  /** The same table as CSV. */
  async getSweepTrialsCsv(id: string, query: Query<typeof SweepTrialsQuery> = {}): Promise<string> {
    const path = sweepPath(id, '/trials');
    return (await this.connection.request('GET', path, { query: { ...query, format: 'csv' } })).text();
  }

  getSweepEvents(id: string, since = 0): Promise<z.infer<typeof SweepEventPage>> {
    return this.#json('GET', sweepPath(id, '/events'), { query: { since } });
  }

  controlSweep(id: string, verb: SweepVerb): Promise<Sweep> {
    return this.#json('POST', sweepPath(id, `/${verb}`));
  }

  extendSweep(id: string, body: ExtendSweepBody): Promise<Sweep> {
    return this.#json('POST', sweepPath(id, '/extend'), { body });
  }

  /** Forgets a sweep that is over; its experiments stay. */
  deleteSweep(id: string): Promise<void> {
    return this.#json('DELETE', sweepPath(id));
  }

  createSession(body: Body<typeof CreateSessionBody> = {}): Promise<Session> {
    return this.#json('POST', '/sessions', { body });
  }

  feedSession(id: string, text: string): Promise<Session> {
    return this.#json('POST', sessionPath(id, '/feed'), { body: { text } });
  }

  streamInSession(id: string, body: Body<typeof SessionGenerateBody> = {}): AsyncGenerator<string> {
    return this.#stream(sessionPath(id, '/generate'), body);
  }

  forkSession(id: string): Promise<Session> {
    return this.#json('POST', sessionPath(id, '/fork'));
  }

  getSessionState(id: string): Promise<SessionState> {
    return this.#json('GET', sessionPath(id, '/state'));
  }

  deleteSession(id: string): Promise<void> {
    return this.#json('DELETE', sessionPath(id));
  }

  listCorpora(): Promise<z.infer<typeof CorpusList>> {
    return this.#json('GET', '/corpora');
  }

  getCorpus(name: string): Promise<CorpusInfo> {
    return this.#json('GET', `/corpora/${encodeURIComponent(name)}`);
  }

  previewCorpus(name: string, split: SplitName = 'train', characters = 1000): Promise<CorpusPreview> {
    const path = `/corpora/${encodeURIComponent(name)}/preview`;
    return this.#json('GET', path, { query: { split, characters } });
  }

  uploadCorpus(
    name: string,
    files: CorpusFiles,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<CorpusInfo> {
    return this.#json('POST', '/corpora', { body: toForm({ name, ...fields }, files) });
  }

  deleteCorpus(name: string): Promise<void> {
    return this.#json('DELETE', `/corpora/${encodeURIComponent(name)}`);
  }

  listPresets(): Promise<z.infer<typeof PresetList>> {
    return this.#json('GET', '/presets');
  }

  health(): Promise<Health> {
    return this.#json('GET', '/healthz');
  }

  readiness(): Promise<z.infer<typeof Readiness>> {
    return this.#json('GET', '/readyz');
  }

  #json<Result>(method: string, path: string, call: Call = {}): Promise<Result> {
    return this.connection.json(method, path, call);
  }

  async *#stream(path: string, body: unknown, signal?: AbortSignal): AsyncGenerator<string> {
    const response = await this.connection.request('POST', path, { body, headers: EVENT_STREAM, signal });
    for await (const { event, data } of readEvents(response.body!)) {
      const message = JSON.parse(data) as { text?: string; status?: number };
      if (event === 'error') throw new GatelmError(message.status ?? 500, message);
      if (event === 'text') yield message.text ?? '';
    }
  }
}

function experimentPath(id: string, rest = ''): string {
  return `/experiments/${encodeURIComponent(id)}${rest}`;
}

function sweepPath(id: string, rest = ''): string {
  return `/sweeps/${encodeURIComponent(id)}${rest}`;
}

function sessionPath(id: string, rest = ''): string {
  return `/sessions/${encodeURIComponent(id)}${rest}`;
}

function toForm(fields: Readonly<Record<string, string>>, files: object): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  for (const [name, file] of Object.entries(files) as [string, Blob][]) form.set(name, file, `${name}.bin`);
  return form;
}
