/** What the OpenAPI document shows as examples; a test holds them beside what the server really answers. */
import { z } from 'zod';
import type { Ticket } from '../contracts/access.js';
import type { CorpusInfo, CorpusPreview } from '../contracts/corpus.js';
import type { EvaluationResult } from '../contracts/evaluation.js';
import { EXAMPLE_EXPERIMENT_ID, EXAMPLE_SESSION_ID } from '../contracts/example-ids.js';
import type { Experiment } from '../contracts/experiment.js';
import type { GenerationAnswer } from '../contracts/generation.js';
import type { ExperimentPlan, Health, PresetList, Problem, Readiness } from '../contracts/http.js';
import type { BackendReport } from '../contracts/jobs.js';
import type { Checkpoint, MetricPoint } from '../contracts/metrics.js';
import type { Completion, OpenAiError, OpenAiModel } from '../contracts/openai.js';
import { PRESETS } from '../contracts/presets.js';
import { resolveExperimentInput } from '../contracts/resolve-config.js';
import type { RankResult, ScoreResult } from '../contracts/score.js';
import type { Session, SessionState } from '../contracts/session.js';
import { linksOf } from '../experiments/experiment-view.js';

const DIGEST = '3331e675af103954324a93ee6633332ec82bceafecb5b820c39e488d4a88b8ad';

const NEW_EXPERIMENT = { preset: 'rnnlm', corpus: 'ptb', training: { epochs: 4 } };
const { name: _, tags, notes, priority, ...config } = resolveExperimentInput(NEW_EXPERIMENT);
const name = 'rnnlm on ptb';

const experiment: Experiment = {
  id: EXAMPLE_EXPERIMENT_ID,
  name,
  tags,
  notes,
  priority,
  state: 'succeeded',
  config,
  parentId: null,
  createdAt: '2026-11-25T16:03:01.486Z',
  startedAt: '2026-11-25T16:03:01.503Z',
  endedAt: '2026-11-25T16:09:43.418Z',
  attempt: 1,
  seq: 214,
  queuePosition: null,
  parameterCount: 2_090_400,
  vocabularySize: 10_000,
  latest: {
    epoch: 4,
    step: 5312,
    trainPerplexity: 106.6,
    validPerplexity: 140.3,
    validBitsPerByte: 1.317,
    learningRate: 20,
    tokensPerSecond: 22_800,
    gradNorm: 0.21,
    remainingSeconds: 0,
  },
  best: { epoch: 4, validPerplexity: 140.3, validBitsPerByte: 1.317 },
  test: { perplexity: 136.5, bitsPerByte: 1.299 },
  digest: DIGEST,
  run: { backend: 'native', kernels: 'fused', threads: 2 },
  error: null,
  links: linksOf(EXAMPLE_EXPERIMENT_ID),
};

const plan: ExperimentPlan = {
  dryRun: true,
  name,
  tags,
  notes,
  priority,
  config,
  estimate: {
    parameterCount: 2_090_400,
    vocabularySize: 10_000,
    trainTokens: 929_589,
    stepsPerEpoch: 1328,
    measured: { steps: 20, tokensPerSecond: 22_900, secondsPerEpoch: 42.1, seconds: 168.4 },
    memoryBytes: 512_000_000,
  },
};

const time = '2026-11-25T16:04:41.608Z';
const epochEvent = {
  experimentId: EXAMPLE_EXPERIMENT_ID,
  seq: 54,
  time,
  type: 'epoch' as const,
  data: {
    epoch: 1,
    step: 1328,
    trainLoss: 5.62,
    trainPerplexity: 275.9,
    validLoss: 5.276,
    validPerplexity: 195.6,
    validBitsPerByte: 1.405,
    learningRate: 20,
    tokensPerSecond: 22_800,
    gradNorm: 0.22,
    seconds: 42.1,
    remainingSeconds: 126.3,
    isBest: true,
  },
};
const point: MetricPoint = { step: 1328, epoch: 1, time, value: 195.6 };
const checkpoint: Checkpoint = {
  step: 1328,
  epoch: 1,
  file: 'checkpoints/step-000001328-c53a2afb.safetensors',
  bytes: 8_362_104,
  digest: DIGEST,
  isBest: true,
  time,
  available: true,
};

const written: GenerationAnswer = {
  experimentId: EXAMPLE_EXPERIMENT_ID,
  prompt: 'the',
  promptTokens: 1,
  text: ' company said it expects',
  tokens: 4,
  finishReason: 'length',
  seed: 1,
  unknownWords: [],
};
const evaluation: EvaluationResult = { perplexity: 136.5, loss: 4.916, tokens: 82_429, bitsPerByte: 1.299 };
const score: ScoreResult = {
  perplexity: 61.2,
  bitsPerByte: 1.079,
  unknownWords: [],
  tokens: [
    { token: 'the', start: 0, end: 3, surprisal: 2.713 },
    { token: 'company', start: 4, end: 11, surprisal: 5.516 },
  ],
};
const ranking: RankResult = {
  items: [
    {
      index: 0,
      alternative: ' company',
      logprob: -3.912,
      unknownWords: [],
      tokens: 1,
      perplexity: 50,
      share: 0.8,
    },
    {
      index: 1,
      alternative: ' cat',
      logprob: -5.298,
      unknownWords: [],
      tokens: 1,
      perplexity: 199.9,
      share: 0.2,
    },
  ],
};
const completion: Completion = {
  id: 'cmpl-6667f4d5de3ce0cfceff9dbb',
  object: 'text_completion',
  created: 1_795_622_585,
  model: EXAMPLE_EXPERIMENT_ID,
  choices: [{ text: ' company said', index: 0, logprobs: null, finish_reason: 'length' }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
};
const openAiModel: OpenAiModel = {
  id: EXAMPLE_EXPERIMENT_ID,
  object: 'model',
  created: 1_795_622_581,
  owned_by: 'gatelm',
  name,
};
const session: Session = {
  id: EXAMPLE_SESSION_ID,
  experimentId: EXAMPLE_EXPERIMENT_ID,
  tokens: 2,
  createdAt: '2026-11-25T16:13:05.183Z',
  expiresAt: '2026-11-25T17:13:05.183Z',
};
/** Of a model with one layer of one unit, so that it is short. */
const sessionState: SessionState = {
  digest: DIGEST,
  tokens: 2,
  point: { state: 'TQuWPSnOsbw=', tail: [9, 212, 499] },
};

const corpus: CorpusInfo = {
  id: 'ptb',
  name: 'ptb',
  kind: 'known',
  description: 'Penn Treebank as prepared by Mikolov: news text, 10,000 words',
  source: 'a copy of the simple-examples archive',
  available: true,
  defaultPreTokenizer: 'whitespace',
  bytes: 5_951_345,
  tokens: 1_085_779,
  types: 10_000,
  statistics: {
    train: { tokens: 929_589, types: 10_000, unknownRate: 0.0484, longestLine: 83, bytes: 5_101_618 },
    valid: { tokens: 73_760, types: 6022, unknownRate: 0.0472, longestLine: 75, bytes: 399_782 },
    test: { tokens: 82_430, types: 6049, unknownRate: 0.0582, longestLine: 78, bytes: 449_945 },
  },
  digest: 'ee2cbfcf86ce77cdfc70a7388663cdff9cf72c682837237498e86d79d5f0e381',
  createdAt: null,
  splitBy: null,
  documents: null,
  characters: null,
  duplicates: null,
  skippedFiles: [],
};
const preview: CorpusPreview = { id: 'ptb', split: 'train', text: ' the company said', truncated: true };
const { description, source, ptbTestPerplexity, ptbParameterCount } = PRESETS.rnnlm;
const presets: z.infer<typeof PresetList> = {
  items: [{ name: 'rnnlm', description, source, ptbTestPerplexity, ptbParameterCount, config }],
};

const backend: BackendReport = {
  backend: 'native',
  kernels: 'fused',
  threads: 2,
  cpu: 'AMD EPYC',
  notes: [],
};
const health: Health = {
  status: 'ok',
  version: '0.1.0',
  uptimeSeconds: 86_400,
  training: { backend, processIds: [27_564], slots: 1, active: [EXAMPLE_EXPERIMENT_ID] },
  inference: { backend, processIds: [27_581] },
};
const readiness: Readiness = { status: 'ready', database: 'ready', training: 'ready', inference: 'ready' };
const ticket: Ticket = { ticket: 'eWLgqNDwyoLWodCOLGYmO9ClcJMONhW6', expiresAt: '2026-11-25T16:03:35.798Z' };

const problem: Problem = {
  type: 'urn:gatelm:error:validation-failed',
  title: 'The request is not valid',
  status: 400,
  detail: 'The query is not valid: limit: expected at least 1, got 0',
  code: 'validation-failed',
  instance: '/experiments?limit=0',
  errors: [{ path: 'limit', message: 'expected at least 1, got 0', expected: 'at least 1', received: '0' }],
};
const openAiError: OpenAiError = {
  error: {
    message: 'There is no experiment "none"',
    type: 'invalid_request_error',
    param: 'model',
    code: 'model_not_found',
  },
};

/** By the names of the document's schemas. */
export const SCHEMA_EXAMPLES = {
  Experiment: experiment,
  ExperimentPage: { items: [experiment], nextCursor: null },
  ExperimentPlan: plan,
  NewExperiment: NEW_EXPERIMENT,
  ExperimentConfig: config,
  Event: epochEvent,
  EventPage: { items: [epochEvent], nextSince: 54, hasMore: true },
  ProgressSnapshot: { type: 'snapshot', experiment, seq: 214 },
  MetricPoint: point,
  MetricSeries: { series: { validPerplexity: [point] } },
  Checkpoint: checkpoint,
  CheckpointList: { items: [checkpoint] },
  GenerationAnswer: written,
  EvaluationResult: evaluation,
  ScoreResult: score,
  ScoreList: { items: [score, score] },
  RankResult: ranking,
  Completion: completion,
  OpenAiModel: openAiModel,
  OpenAiModelList: { object: 'list', data: [openAiModel] },
  OpenAiError: openAiError,
  Session: session,
  SessionState: sessionState,
  Corpus: corpus,
  CorpusList: { items: [corpus] },
  CorpusPreview: preview,
  PresetList: presets,
  Backend: backend,
  Health: health,
  Readiness: readiness,
  Ticket: ticket,
  Problem: problem,
} as const;

/** Answers that are text. */
export const TEXT_EXAMPLES = {
  events: `id: 54\nevent: epoch\ndata: ${JSON.stringify(epochEvent)}\n\n`,
  csv: `key,step,epoch,time,value\nvalidPerplexity,1328,1,${time},195.6\n`,
  jsonLines: `${JSON.stringify({ key: 'validPerplexity', ...point })}\n`,
  writtenText: `${written.prompt}${written.text}`,
  writtenEvents: `event: text\ndata: {"text":" company","tokens":1}\n\nevent: done\ndata: ${JSON.stringify(written)}\n\n`,
  evaluationEvents: `event: progress\ndata: {"phase":"evaluation","tokens":350,"totalTokens":82429,"perplexity":141.2}\n\nevent: done\ndata: ${JSON.stringify(evaluation)}\n\n`,
  completionEvents: `data: ${JSON.stringify({ ...completion, usage: undefined })}\n\ndata: [DONE]\n\n`,
  scoreLines: `${JSON.stringify(score.tokens[0])}\n{"perplexity":15.1,"loss":2.713,"bitsPerByte":1.305,"tokens":1,"bytes":3}\n`,
  prometheus: '# HELP gatelm_streams Open event streams\n# TYPE gatelm_streams gauge\ngatelm_streams 2\n',
} as const;

/** Text that looks like this. */
export function exampleText(example: string): z.ZodString {
  return z.string().meta({ examples: [example] });
}
