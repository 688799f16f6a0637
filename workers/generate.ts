/** Entry point of an inference thread: keeps trained models warm; texts of a model are written side by side. */
import { randomInt } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import type { TrainedModel } from '../src/checkpoints/model-folder.js';
import {
  exportModelFolder,
  importPyTorchModel,
  readPyTorchBundle,
  writeImportedModel,
  writePyTorchBundle,
} from '../src/checkpoints/pytorch-bundle.js';
import { WarmModels } from '../src/checkpoints/warm-models.js';
import type { InferenceResults } from '../src/compute/inference-executor.js';
import { type InferenceThreadTask, isCancelled } from '../src/compute/inference-thread-task.js';
import type { TrainingEstimate } from '../src/contracts/estimate.js';
import type { GenerationResult } from '../src/contracts/generation.js';
import { InferenceLimits } from '../src/contracts/inference-limits.js';
import type { BackendReport, InferenceTask } from '../src/contracts/jobs.js';
import type { ExportResult, ImportResult } from '../src/contracts/transfer.js';
import { assertLongEnough } from '../src/corpora/corpus.js';
import { loadCorpus } from '../src/corpora/load-corpus.js';
import { appError } from '../src/errors.js';
import { runCooperatively } from '../src/evaluation/cooperative-scheduler.js';
import { searchBeams } from '../src/generation/beam-search.js';
import { GenerationEngine, type WritingOptions } from '../src/generation/generation-engine.js';
import { TextWriting } from '../src/generation/text-writing.js';
import type { LstmLanguageModel } from '../src/models/lstm-language-model.js';
import {
  disposeStates,
  type StreamStates,
  stateFromNumbers,
  stateToNumbers,
} from '../src/models/state-rows.js';
import { loadBackend } from '../src/tensor/backend.js';
import { describeTokenizer } from '../src/tokenizers/describe-tokenizer.js';
import { estimateTraining } from '../src/training/estimate-training.js';
import { evaluateModel, rank, scoreStream, scoreTexts, type Turn } from './read-text.js';

type Result = InferenceResults[InferenceTask['type']];

const limits = InferenceLimits.parse(workerData?.options ?? {}); // no worker's data where a test runs it by itself
const warmModels = new WarmModels<GenerationEngine>(limits.warmModelBytes, {
  build: ({ model }) => new GenerationEngine(model, limits),
  dispose: (engine) => engine.dispose(),
});

export function probeBackend(): Promise<BackendReport> {
  return loadBackend();
}

/** Texts that are being written in this thread. */
let textsOpen = 0;

/** @throws AppError */
export default async function run(threadTask: InferenceThreadTask): Promise<Result> {
  const { task } = threadTask;
  switch (task.type) {
    case 'export':
      return exportModel(task);
    case 'import':
      return importModel(task);
    case 'estimate':
      await loadBackend();
      return estimate(task, turnOf(threadTask));
    default:
      await loadBackend();
      return warmModels.use(task.model, (warm) => useModel(warm, task, threadTask));
  }
}

type ModelTask = Exclude<InferenceTask, { type: 'export' | 'import' | 'estimate' }>;
type WarmModel = TrainedModel & { readonly extra: GenerationEngine };

function turnOf({ parts, cancelled }: InferenceThreadTask): Turn {
  return {
    parts,
    isCancelled: () => isCancelled(cancelled),
    othersWait: () => textsOpen > 0, // all else gives way to the texts that are written
  };
}

async function useModel(warm: WarmModel, task: ModelTask, threadTask: InferenceThreadTask): Promise<Result> {
  const { parts } = threadTask;
  const turn = turnOf(threadTask);
  switch (task.type) {
    case 'generate':
      textsOpen += 1;
      try {
        return await generate(warm, warm.extra, task, {
          ...(parts && { onPart: (part) => parts.postMessage(part) }),
          isCancelled: turn.isCancelled,
        });
      } finally {
        textsOpen -= 1;
      }
    case 'search':
      return runCooperatively(searchBeams(warm.model, warm.tokenizer, task.request), turn);
    case 'rank':
      return rank(warm, task, turn);
    case 'score':
      return scoreTexts(warm, task, turn);
    case 'score-stream':
      return scoreStream(warm, task, turn);
    case 'evaluate':
      return evaluateModel(warm, task, turn);
    default:
      return task satisfies never;
  }
}

async function generate(
  { model, tokenizer }: TrainedModel,
  engine: GenerationEngine,
  { request, model: { experimentId } }: Extract<InferenceTask, { type: 'generate' }>,
  options: WritingOptions,
): Promise<GenerationResult> {
  const seed = request.seed ?? randomInt(2 ** 32);
  const { from, keepsPoint } = request;
  const writing = new TextWriting(tokenizer, { ...request, seed, tail: from?.tail });
  const prompt = request.promptIds ? tokenizer.decode(request.promptIds) : request.prompt;
  const state = from?.state ? readState(from.state, model) : null;
  let kept: string | null = null;
  if (request.echo) options.onPart?.({ text: prompt, tokens: 0 });
  const { logprobs, unknownWords, ...generated } = await engine.run(writing, {
    ...options,
    state,
    ...(keepsPoint && {
      onState: (after) => {
        kept = writeState(after);
      },
    }),
  });
  return {
    experimentId,
    prompt,
    seed,
    ...generated,
    unknownWords: [...unknownWords],
    ...(logprobs && { logprobs: [...logprobs] }),
    ...(keepsPoint && { point: { state: kept, tail: [...writing.tail] } }),
  };
}

/** @throws session-invalid */
function readState(base64: string, model: LstmLanguageModel): StreamStates {
  const bytes = Buffer.from(base64, 'base64');
  const numbers = new Float32Array(Math.floor(bytes.length / 4));
  new Uint8Array(numbers.buffer).set(bytes.subarray(0, numbers.byteLength));
  const state = bytes.length % 4 === 0 ? stateFromNumbers(numbers, model.emptyState(1)) : null;
  if (!state)
    throw appError('session-invalid', {
      reason: `it has ${bytes.length} bytes, or numbers that are not finite`,
    });
  return state;
}

function writeState(state: StreamStates): string {
  const { buffer } = stateToNumbers(state);
  disposeStates(state);
  return Buffer.from(buffer).toString('base64');
}

async function estimate(
  { config, dataDirectory, corporaMirror: mirror }: Extract<InferenceTask, { type: 'estimate' }>,
  turn: Turn,
): Promise<TrainingEstimate> {
  const { corpus: name, tokenizer, training } = config;
  const corpus = await loadCorpus({ corpus: name, tokenizer, dataDirectory, mirror });
  assertLongEnough(corpus, training);
  const { splits, vocabulary } = corpus;
  return runCooperatively(estimateTraining({ config, vocabularySize: vocabulary.size, splits }), turn);
}

function exportModel({
  modelDirectory,
  bundleDirectory,
  tiedWeights,
}: Extract<InferenceTask, { type: 'export' }>): ExportResult {
  const bundle = exportModelFolder(modelDirectory, { tiedWeights });
  writePyTorchBundle(bundleDirectory, bundle);
  return { files: Array.from(bundle, ([name, { length: bytes }]) => ({ name, bytes })) };
}

function importModel({
  bundleDirectory,
  modelDirectory,
}: Extract<InferenceTask, { type: 'import' }>): ImportResult {
  const imported = importPyTorchModel(readPyTorchBundle(bundleDirectory));
  writeImportedModel(modelDirectory, imported);
  const { digest, parameterCount, tokenizer, description } = imported;
  const { vocabularySize, model, precision, corpus } = description;
  return {
    digest,
    parameterCount,
    vocabularySize,
    model,
    precision,
    corpus,
    tokenizer: describeTokenizer(tokenizer),
  };
}
