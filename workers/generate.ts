/** Entry point of an inference thread: keeps trained models warm and runs one task at a time on them. */
import { randomInt } from 'node:crypto';
import { openModel, type TrainedModel } from '../src/checkpoints/model-folder.js';
import type { EvaluationResult, GenerationResult, ScoreResult } from '../src/contracts/generation.js';
import type { BackendReport, InferenceTask, ModelReference } from '../src/contracts/jobs.js';
import { loadCorpus } from '../src/corpus/load-corpus.js';
import { bitsPerByte, evaluate } from '../src/evaluation/evaluate.js';
import { scoreText } from '../src/evaluation/score-text.js';
import { generateText } from '../src/generation/generate-text.js';
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
export default async function run(
  task: InferenceTask,
): Promise<GenerationResult | EvaluationResult | ScoreResult> {
  await loadBackend();
  const trained = warmModel(task.model);
  switch (task.type) {
    case 'generate': {
      const { request } = task;
      const seed = request.seed ?? randomInt(2 ** 32);
      const generated = generateText(trained.model, trained.tokenizer, { ...request, seed });
      return {
        experimentId: task.model.experimentId,
        prompt: request.prompt,
        seed,
        ...generated,
        unknownWords: [...generated.unknownWords],
      };
    }
    case 'score':
      return scoreText(trained.model, trained.tokenizer, task.request.text);
    case 'evaluate':
      return evaluateModel(trained, task);
    default:
      return task satisfies never;
  }
}

async function evaluateModel(
  { model, tokenizer, description }: WarmModel,
  { request, dataDirectory, corporaMirror }: Extract<InferenceTask, { type: 'evaluate' }>,
): Promise<EvaluationResult> {
  if (request.text !== undefined) {
    const { perplexity, bitsPerByte: bits, tokens } = scoreText(model, tokenizer, request.text);
    return { perplexity, loss: Math.log(perplexity), tokens: tokens.length, bitsPerByte: bits };
  }
  const split = request.split ?? 'test';
  const corpus = await loadCorpus({
    corpus: request.corpus ?? description.corpus,
    tokenizer,
    dataDirectory,
    mirror: corporaMirror,
  });
  const { loss, perplexity, tokens } = evaluate(model, corpus.splits[split], {
    ...EVALUATION,
    counting: request.counting,
  });
  return { perplexity, loss, tokens, bitsPerByte: bitsPerByte(loss, tokens, corpus.bytes[split]) };
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
