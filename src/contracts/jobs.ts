/** What crosses the boundary between the service and its hosts: plain data, parsed by both sides. */
import { z } from 'zod';
import { ArtifactKey } from './artifacts.js';
import { TrainingEstimate } from './estimate.js';
import { EvaluationProgress, EvaluationRequest, EvaluationResult } from './evaluation.js';
import { TrainingEvent } from './events.js';
import { ExperimentConfig } from './experiment-config.js';
import {
  BeamSearchRequest,
  BeamSearchResult,
  GenerationPart,
  GenerationResult,
  GenerationTaskRequest,
} from './generation.js';
import { InferenceLimits } from './inference-limits.js';
import { SampleQuality, SampleQualityRequest } from './sample-quality.js';
import {
  RankRequest,
  RankResult,
  ScoreList,
  ScorePart,
  ScoreRequest,
  ScoreStreamRequest,
  ScoreSummary,
} from './score.js';
import { SerializedError } from './serialized-error.js';
import { ExportResult, ImportResult, TiedWeights } from './transfer.js';

export const StopMode = z.enum(['pause', 'cancel']);
export type StopMode = z.infer<typeof StopMode>;

/** One training of one experiment on a host. */
export const TrainingJob = z.strictObject({
  experimentId: z.string(),
  attempt: z.int().min(1),
  config: ExperimentConfig,
  folder: ArtifactKey.describe('Of its checkpoints and its model'),
  resume: z.boolean().describe('Go on from the latest checkpoint, if there is one'),
  pauseAtEpoch: z.int().min(1).optional().describe('Pause when so many epochs are done'),
  initial: ArtifactKey.nullable().describe(
    'Checkpoint and tokenizer that it begins with, laid out as an experiment; null = anew',
  ),
});
export type TrainingJob = z.infer<typeof TrainingJob>;

/** How a training ended. `stopped` is a result, not an error. */
export const TrainingOutcome = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('succeeded') }),
  z.strictObject({ type: z.literal('stopped'), mode: StopMode }),
  z.strictObject({ type: z.literal('failed'), error: SerializedError }),
  z.strictObject({
    type: z.literal('interrupted'),
    reason: z.string(),
    isBystander: z
      .boolean()
      .optional()
      .describe(
        'Its host was killed because of another training: it goes on by itself, whatever maxRestarts says',
      ),
  }),
]);
export type TrainingOutcome = z.infer<typeof TrainingOutcome>;

/** What a training said, with its number within its attempt. */
export const RunEvent = z.strictObject({
  seq: z.int().min(1).describe('1, 2, 3 … within the attempt'),
  event: TrainingEvent,
});
export type RunEvent = z.infer<typeof RunEvent>;

/** What a host found when it loaded TensorFlow. */
export const BackendReport = z
  .strictObject({
    backend: z.enum(['native', 'wasm']),
    kernels: z.enum(['fused', 'composed']),
    threads: z.int().min(1),
    cpu: z.string(),
    notes: z.array(z.string()).describe('Why it is not the fastest, if it is not'),
  })
  .meta({
    id: 'Backend',
    examples: [{ backend: 'native', kernels: 'fused', threads: 2, cpu: 'AMD EPYC', notes: [] }],
  });
export type BackendReport = z.infer<typeof BackendReport>;

/** Where the threads of a host find what a job names. */
export const FileSource = z.strictObject({
  dataDirectory: z.string().describe('The folder that the keys of artifacts are relative to'),
  mirror: z.string().nullable().describe('GATELM_CORPORA_MIRROR'),
});
export type FileSource = z.infer<typeof FileSource>;

/** What an inference thread is started with. */
export const InferenceThreadOptions = z.strictObject({ ...FileSource.shape, ...InferenceLimits.shape });
export type InferenceThreadOptions = z.infer<typeof InferenceThreadOptions>;

/** How a host process is started. */
export const HostSettings = z.strictObject({
  workerFile: z.string().describe('Module whose default export runs one task in a thread'),
  threads: z.int().min(1).max(256).describe('Threads, each with its own models'),
  tasksPerThread: z.int().min(1).describe('Tasks that one thread takes on at once'),
  options: z.json().describe('What the worker module wants to know'),
  niceness: z.int().min(0).max(19).describe('Higher = gives way to other processes'),
  memoryKillScore: z
    .int()
    .min(0)
    .max(1000)
    .describe('Higher = the kernel kills it earlier when memory runs out, so that the server stays (Linux)'),
  heartbeatIntervalMs: z.int().min(1).describe('Time between two heartbeats'),
});
export type HostSettings = z.infer<typeof HostSettings>;

const hostReports = [
  z.strictObject({ type: z.literal('ready'), report: BackendReport }),
  z.strictObject({ type: z.literal('unusable'), error: SerializedError }),
  z.strictObject({ type: z.literal('heartbeat'), rssBytes: z.number() }),
] as const;

/** What every host says about itself: its threads are up, or cannot be; it lives, and how big it is. */
export const HostReport = z.discriminatedUnion('type', [...hostReports]);
export type HostReport = z.infer<typeof HostReport>;

export const TrainingHostRequest = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('train'), job: TrainingJob }),
  z.strictObject({ type: z.literal('stop'), experimentId: z.string(), mode: StopMode }),
  z.strictObject({ type: z.literal('shutdown') }),
]);
export type TrainingHostRequest = z.infer<typeof TrainingHostRequest>;

export const TrainingHostMessage = z.discriminatedUnion('type', [
  ...hostReports,
  z.strictObject({
    type: z.literal('event'),
    experimentId: z.string(),
    event: z.unknown().describe('A TrainingEvent, parsed by the server alone'),
  }),
  z.strictObject({ type: z.literal('finished'), experimentId: z.string(), outcome: TrainingOutcome }),
]);
export type TrainingHostMessage = z.infer<typeof TrainingHostMessage>;

/** A model that is served. */
export const ModelReference = z.strictObject({
  experimentId: z.string(),
  folder: ArtifactKey.describe('Of weights.safetensors, config.json, tokenizer.json'),
  digest: z.string().describe('Changes when the weights do; a warm model of another digest is loaded anew'),
});
export type ModelReference = z.infer<typeof ModelReference>;

export const InferenceTask = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('generate'), model: ModelReference, request: GenerationTaskRequest }),
  z.strictObject({ type: z.literal('search'), model: ModelReference, request: BeamSearchRequest }),
  z.strictObject({ type: z.literal('score'), model: ModelReference, request: ScoreRequest }),
  z.strictObject({
    type: z.literal('score-stream'),
    model: ModelReference,
    request: ScoreStreamRequest,
  }),
  z.strictObject({ type: z.literal('rank'), model: ModelReference, request: RankRequest }),
  z.strictObject({
    type: z.literal('evaluate'),
    model: ModelReference,
    request: EvaluationRequest,
  }),
  z.strictObject({
    type: z.literal('sample-quality'),
    model: ModelReference,
    request: SampleQualityRequest,
  }),
  z.strictObject({ type: z.literal('estimate'), config: ExperimentConfig }),
  z.strictObject({
    type: z.literal('export'),
    model: ArtifactKey,
    bundle: ArtifactKey.describe('Where model.safetensors, config.json and tokenizer.json go'),
    tiedWeights: TiedWeights,
  }),
  z.strictObject({
    type: z.literal('import'),
    bundle: ArtifactKey.describe('Where they are; vocabulary.txt may stand for tokenizer.json'),
    model: ArtifactKey.describe('Where the model goes that is served'),
  }),
]);
export type InferenceTask = z.infer<typeof InferenceTask>;

/** The next piece of a text that a task reads while it comes, when its last part wanted more; null = it has ended. */
export const TaskInput = z.string().nullable();
export type TaskInput = z.infer<typeof TaskInput>;

/** What each type of task says while it runs. */
export const TASK_PARTS = {
  generate: GenerationPart,
  evaluate: EvaluationProgress,
  'score-stream': ScorePart,
} as const;

/** What each type of task answers with. */
export const TASK_RESULTS = {
  generate: GenerationResult,
  search: BeamSearchResult,
  score: ScoreList,
  'score-stream': ScoreSummary,
  rank: RankResult,
  evaluate: EvaluationResult,
  'sample-quality': SampleQuality,
  estimate: TrainingEstimate,
  export: ExportResult,
  import: ImportResult,
} as const;

export type InferenceResults = {
  readonly [Type in keyof typeof TASK_RESULTS]: z.infer<(typeof TASK_RESULTS)[Type]>;
};

export const InferenceHostRequest = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('run'),
    taskId: z.int(),
    task: InferenceTask,
    streams: z.boolean().describe('Send parts while it runs'),
  }),
  z.strictObject({ type: z.literal('input'), taskId: z.int(), input: TaskInput }),
  z.strictObject({ type: z.literal('cancel'), taskId: z.int() }),
  z.strictObject({ type: z.literal('shutdown') }),
]);
export type InferenceHostRequest = z.infer<typeof InferenceHostRequest>;

export const InferenceHostMessage = z.discriminatedUnion('type', [
  ...hostReports,
  z.strictObject({
    type: z.literal('parts'),
    parts: z
      .array(z.tuple([z.int(), z.unknown()]))
      .describe('Of all tasks, in order: the id of the task, and what TASK_PARTS says'),
  }),
  z.strictObject({
    type: z.literal('done'),
    taskId: z.int(),
    result: z.unknown().describe('By TASK_RESULTS'),
  }),
  z.strictObject({ type: z.literal('failed'), taskId: z.int(), error: SerializedError }),
]);
export type InferenceHostMessage = z.infer<typeof InferenceHostMessage>;
