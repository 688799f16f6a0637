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
import { type InferenceThreadTask, isCancelled } from '../src/compute/inference-thread-task.js';
import type { SplitName } from '../src/contracts/corpus.js';
import type { EvaluationResult, GenerationResult, ScoreResult } from '../src/contracts/generation.js';
import { InferenceLimits } from '../src/contracts/inference-limits.js';
import type { BackendReport, InferenceTask } from '../src/contracts/jobs.js';
import type { ExportResult, ImportResult } from '../src/contracts/transfer.js';
import type { Corpus } from '../src/corpus/corpus.js';
import { describeTokenizer } from '../src/corpus/describe-tokenizer.js';
import { loadCorpus } from '../src/corpus/load-corpus.js';
import { appError } from '../src/errors.js';
import { evaluateAdaptively, isAdaptive } from '../src/evaluation/adaptive-evaluation.js';
import { bitsPerByte, evaluate } from '../src/evaluation/evaluate.js';
import { scoreText } from '../src/evaluation/score-text.js';
import { GenerationEngine, type WritingOptions } from '../src/generation/generation-engine.js';
import { promptIds, TextWriting } from '../src/generation/text-writing.js';
import type { LstmLanguageModel } from '../src/models/lstm-language-model.js';
import {
  disposeStates,
  type StreamStates,
  stateFromNumbers,
  stateToNumbers,
} from '../src/models/state-rows.js';
import { loadBackend } from '../src/tensor/backend.js';

/** Shape of the batches that a split is evaluated in. */
const EVALUATION = { batchSize: 10, bpttLength: 35 } as const;

const limits = InferenceLimits.parse(workerData?.options ?? {}); // no worker's data where a test runs it by itself
const warmModels = new WarmModels<GenerationEngine>(limits.warmModelBytes, {
  build: ({ model }) => new GenerationEngine(model, limits),
  dispose: (engine) => engine.dispose(),
});

export function probeBackend(): Promise<BackendReport> {
  return loadBackend();
}

/** @throws AppError */
export default async function run({
  task,
  parts,
  cancelled,
}: InferenceThreadTask): Promise<
  GenerationResult | EvaluationResult | ScoreResult | ExportResult | ImportResult
> {
  switch (task.type) {
    case 'export':
      return exportModel(task);
    case 'import':
      return importModel(task);
    default:
      await loadBackend();
      return warmModels.use(task.model, async (warm) =>
        task.type === 'generate'
          ? generate(warm, warm.extra, task, {
              ...(parts && { onPart: (part) => parts.postMessage(part) }),
              isCancelled: () => isCancelled(cancelled),
            })
          : useModel(warm, task),
      );
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

type ReadingTask = Extract<InferenceTask, { type: 'score' | 'evaluate' }>;

async function useModel(trained: TrainedModel, task: ReadingTask): Promise<EvaluationResult | ScoreResult> {
  switch (task.type) {
    case 'score':
      return scoreText(
        trained.model,
        trained.tokenizer,
        task.request.text,
        task.request.inspect ? task.request : null,
      );
    case 'evaluate':
      return evaluateModel(trained, task);
    default:
      return task satisfies never;
  }
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

async function evaluateModel(
  { model, tokenizer, description }: TrainedModel,
  { request, dataDirectory, corporaMirror: mirror }: Extract<InferenceTask, { type: 'evaluate' }>,
): Promise<EvaluationResult> {
  const readCorpus = (corpus: string) => loadCorpus({ corpus, tokenizer, dataDirectory, mirror });
  if (request.text !== undefined && !isAdaptive(request)) {
    const { perplexity, bitsPerByte: bits, tokens } = scoreText(model, tokenizer, request.text);
    return { perplexity, loss: Math.log(perplexity), tokens: tokens.length, bitsPerByte: bits };
  }
  const { ids, bytes } =
    request.text !== undefined
      ? { ids: promptIds(tokenizer, request.text), bytes: Buffer.byteLength(request.text) }
      : readSplit(await readCorpus(request.corpus ?? description.corpus), request.split ?? 'test');
  const evaluation = isAdaptive(request)
    ? await evaluateAdaptively(model, ids, request, async () => (await readCorpus(description.corpus)).splits)
    : evaluate(model, ids, { ...EVALUATION, counting: request.counting });
  return { ...evaluation, bitsPerByte: bitsPerByte(evaluation.loss, evaluation.tokens, bytes) };
}

function readSplit({ splits, bytes }: Corpus, split: SplitName) {
  return { ids: splits[split], bytes: bytes[split] };
}
