/** Entry point of an inference thread: keeps trained models warm and runs one task at a time on them. */
import { randomInt } from 'node:crypto';
import { openModel, type TrainedModel } from '../src/checkpoints/model-folder.js';
import {
  exportModelFolder,
  importPyTorchModel,
  readPyTorchBundle,
  writeImportedModel,
  writePyTorchBundle,
} from '../src/checkpoints/pytorch-bundle.js';
import { type InferenceThreadTask, isCancelled } from '../src/compute/inference-thread-task.js';
import type { SplitName } from '../src/contracts/corpus.js';
import type {
  EvaluationResult,
  GenerationPart,
  GenerationResult,
  ScoreResult,
} from '../src/contracts/generation.js';
import type { BackendReport, InferenceTask, ModelReference } from '../src/contracts/jobs.js';
import type { ExportResult, ImportResult } from '../src/contracts/transfer.js';
import type { Corpus } from '../src/corpus/corpus.js';
import { describeTokenizer } from '../src/corpus/describe-tokenizer.js';
import { loadCorpus } from '../src/corpus/load-corpus.js';
import type { Tokenizer } from '../src/corpus/tokenizer.js';
import { evaluateAdaptively, isAdaptive } from '../src/evaluation/adaptive-evaluation.js';
import { bitsPerByte, evaluate } from '../src/evaluation/evaluate.js';
import { scoreText } from '../src/evaluation/score-text.js';
import { promptIds, streamText } from '../src/generation/generate-text.js';
import { loadBackend } from '../src/tensor/backend.js';

/** Models kept in memory; the least recently used one goes first. */
const WARM_MODELS = 4;
/** Shape of the batches that a split is evaluated in. */
const EVALUATION = { batchSize: 10, bpttLength: 35 } as const;

interface WarmModel extends TrainedModel {
  readonly digest: string;
}

const warmModels = new Map<string, WarmModel>();

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
      if (task.type !== 'generate') return useModel(warmModel(task.model), task);
      return generate(warmModel(task.model), task, {
        onPart: (part) => parts?.postMessage(part),
        isCancelled: () => isCancelled(cancelled),
      });
  }
}

function generate(
  { model, tokenizer }: WarmModel,
  { request, model: { experimentId } }: Extract<InferenceTask, { type: 'generate' }>,
  { onPart, isCancelled }: { onPart: (part: GenerationPart) => void; isCancelled: () => boolean },
): GenerationResult {
  const seed = request.seed ?? randomInt(2 ** 32);
  const prompt = request.promptIds ? decodeIds(tokenizer, request.promptIds) : request.prompt;
  if (request.echo) onPart({ text: prompt, tokens: 0 });
  const writing = streamText(model, tokenizer, { ...request, seed }, isCancelled);
  for (;;) {
    const { done, value } = writing.next();
    if (!done) {
      onPart(value);
      continue;
    }
    const { logprobs, unknownWords, ...generated } = value;
    return {
      experimentId,
      prompt,
      seed,
      ...generated,
      unknownWords: [...unknownWords],
      ...(logprobs && { logprobs: [...logprobs] }),
    };
  }
}

/** @throws token-id-out-of-range */
function decodeIds(tokenizer: Tokenizer, ids: readonly number[]): string {
  for (const id of ids) tokenizer.vocabulary.token(id);
  return tokenizer.decode(ids);
}

type ReadingTask = Extract<InferenceTask, { type: 'score' | 'evaluate' }>;

async function useModel(trained: WarmModel, task: ReadingTask): Promise<EvaluationResult | ScoreResult> {
  switch (task.type) {
    case 'score':
      return scoreText(trained.model, trained.tokenizer, task.request.text);
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
  { model, tokenizer, description }: WarmModel,
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

/** The model, loaded when it is not warm or when its weights have changed since. */
function warmModel({ experimentId, modelDirectory, digest }: ModelReference): WarmModel {
  let warm = warmModels.get(experimentId);
  warmModels.delete(experimentId);
  if (warm && warm.digest !== digest) {
    warm.model.dispose();
    warm = undefined;
  }
  warm ??= { ...openModel(modelDirectory), digest };
  warmModels.set(experimentId, warm); // the last one in the map is the most recently used
  const [oldest] = warmModels;
  if (warmModels.size > WARM_MODELS && oldest) {
    oldest[1].model.dispose();
    warmModels.delete(oldest[0]);
  }
  return warm;
}
