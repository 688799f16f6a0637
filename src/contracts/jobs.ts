/** Messages between the server and its hosts: plain data, parsed on both sides. */
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
import { Instructions } from './provenance.js';
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
  folder: ArtifactKey.describe('Folder of its checkpoints and its model'),
  resume: z.boolean().describe('Whether to resume from the latest checkpoint, if there is one'),
  storedEpoch: z
    .int()
    .min(0)
    .optional()
    .describe('Last epoch whose event is stored; later ones of the checkpoint are sent again'),
  pauseAtEpoch: z.int().min(1).optional().describe('Epoch after which to pause'),
  exchange: z
    .literal(true)
    .optional()
    .describe('Its files travel through the exchange (GATELM_EXCHANGE), not over HTTP'),
  initial: ArtifactKey.nullable().describe(
    'Checkpoint and tokenizer that it starts from, laid out as an experiment; null = new weights',
  ),
});
export type TrainingJob = z.infer<typeof TrainingJob>;

/** The outcome of a training. `stopped` is a result, not an error. */
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
        'Whether its host was killed because of another training: it restarts automatically, regardless of maxRestarts',
      ),
  }),
]);
export type TrainingOutcome = z.infer<typeof TrainingOutcome>;

/** An event of a training, with its number within the attempt. */
export const RunEvent = z.strictObject({
  seq: z.int().min(1).describe('1, 2, 3 … within the attempt'),
  event: TrainingEvent,
});
export type RunEvent = z.infer<typeof RunEvent>;

/** The backend that a host loaded. */
export const BackendReport = z
  .strictObject({
    backend: z.enum(['native', 'wasm']),
    kernels: z.enum(['fused', 'composed']),
    instructions: Instructions,
    threads: z.int().min(1),
    cpu: z.string(),
    notes: z.array(z.string()).describe('Why it is not the fastest backend, if so'),
  })
  .meta({
    id: 'Backend',
    examples: [
      {
        backend: 'native',
        kernels: 'fused',
        instructions: 'avx512bf16',
        threads: 2,
        cpu: 'AMD EPYC',
        notes: [],
      },
    ],
  });
export type BackendReport = z.infer<typeof BackendReport>;

/** Where the threads of a host find the files of a job. */
export const FileSource = z.strictObject({
  dataDirectory: z.string().describe('The folder to which artifact keys are relative'),
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
  tasksPerThread: z.int().min(1).describe('Tasks that one thread runs at a time'),
  options: z.json().describe('Options of the worker module'),
  niceness: z.int().min(0).max(19).describe('Niceness of the process; higher = lower CPU priority'),
  memoryKillScore: z
    .int()
    .min(0)
    .max(1000)
    .describe('Higher = the OOM killer chooses it before the server (Linux)'),
  heartbeatIntervalMs: z.int().min(1).describe('Time between two heartbeats, in milliseconds'),
});
export type HostSettings = z.infer<typeof HostSettings>;

const hostReports = [
  z.strictObject({ type: z.literal('ready'), report: BackendReport }),
  z.strictObject({ type: z.literal('unusable'), error: SerializedError }),
  z.strictObject({ type: z.literal('heartbeat'), rssBytes: z.number(), cpuSeconds: z.number() }),
] as const;

/** Reports of every host: its threads have started or failed to, and its heartbeat with the memory in use. */
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
    event: z.unknown().describe('A TrainingEvent, parsed by the server'),
  }),
  z.strictObject({ type: z.literal('finished'), experimentId: z.string(), outcome: TrainingOutcome }),
]);
export type TrainingHostMessage = z.infer<typeof TrainingHostMessage>;

/** A reference to a model that is served. */
export const ModelReference = z.strictObject({
  experimentId: z.string(),
  folder: ArtifactKey.describe('Folder with weights.safetensors, config.json and tokenizer.json'),
  digest: z.string().describe('Changes with the weights; a warm model with another digest is reloaded'),
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
    bundle: ArtifactKey.describe('Folder to write model.safetensors, config.json and tokenizer.json to'),
    tiedWeights: TiedWeights,
  }),
  z.strictObject({
    type: z.literal('import'),
    bundle: ArtifactKey.describe('Folder of these files; vocabulary.txt may replace tokenizer.json'),
    model: ArtifactKey.describe('Folder to write the model that is served to'),
  }),
]);
export type InferenceTask = z.infer<typeof InferenceTask>;

/** The next piece of a text that is streamed to a task, sent when its last part wanted more; null = end of the text. */
export const TaskInput = z.string().nullable();
export type TaskInput = z.infer<typeof TaskInput>;

/** The parts that each type of task sends while it runs. */
export const TASK_PARTS = {
  generate: GenerationPart,
  evaluate: EvaluationProgress,
  'score-stream': ScorePart,
} as const;

/** The result of each type of task. */
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

/** Requests to a process that runs inference tasks: a host, or an inferencer. */
export const TaskRequest = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('run'),
    taskId: z.int(),
    task: InferenceTask,
    streams: z.boolean().describe('Whether to send parts while it runs'),
  }),
  z.strictObject({ type: z.literal('input'), taskId: z.int(), input: TaskInput }),
  z.strictObject({ type: z.literal('cancel'), taskId: z.int() }),
]);
export type TaskRequest = z.infer<typeof TaskRequest>;

/** What such a process sends about its tasks. */
export const TaskMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('parts'),
    parts: z
      .array(z.tuple([z.int(), z.unknown()]))
      .describe('Parts of all tasks, in order: the id of the task and a part as in TASK_PARTS'),
  }),
  z.strictObject({
    type: z.literal('done'),
    taskId: z.int(),
    result: z.unknown().describe('As in TASK_RESULTS'),
  }),
  z.strictObject({ type: z.literal('failed'), taskId: z.int(), error: SerializedError }),
]);
export type TaskMessage = z.infer<typeof TaskMessage>;

export const InferenceHostRequest = z.discriminatedUnion('type', [
  ...TaskRequest.options,
  z.strictObject({ type: z.literal('shutdown') }),
]);
export type InferenceHostRequest = z.infer<typeof InferenceHostRequest>;

export const InferenceHostMessage = z.discriminatedUnion('type', [...hostReports, ...TaskMessage.options]);
export type InferenceHostMessage = z.infer<typeof InferenceHostMessage>;
