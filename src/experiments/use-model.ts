import { join } from 'node:path';
import type { InferenceExecutor, RunOptions } from '../compute/inference-executor.js';
import type { Environment } from '../contracts/environment.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type {
  EvaluationRequest,
  EvaluationResult,
  GenerationResult,
  GenerationTaskRequest,
  ScoreRequest,
  ScoreResult,
} from '../contracts/generation.js';
import type { ModelReference } from '../contracts/jobs.js';
import { appError } from '../errors.js';
import type { Store } from '../store/store.js';
import type { Corpora } from './corpora.js';
import { findByIdOrName, findExperiment } from './find-experiment.js';
import { experimentDirectory } from './training-queue.js';

export interface ModelDependencies {
  readonly store: Store;
  readonly executor: InferenceExecutor;
  readonly corpora: Corpora;
  readonly environment: Pick<Environment, 'dataDir' | 'corporaMirror'>;
}

/**
 * Text from an experiment's best weights so far.
 * @param id or name; left out: the experiment with the lowest validation perplexity among those that succeeded on the corpus of
 * the last to succeed; perplexities of different corpora do not compare
 * @throws experiment-not-found, experiment-untrained, no-experiment, and what the executor throws
 */
export async function generate(
  { store, executor, environment }: ModelDependencies,
  id: string | undefined,
  request: GenerationTaskRequest,
  options: RunOptions = {},
): Promise<GenerationResult> {
  const model = referToModel(chooseExperiment(store, id), environment.dataDir);
  return executor.run({ type: 'generate', model, request }, options);
}

/**
 * How surprising each token of a text is to a model.
 * @throws as {@link generate}
 */
export async function score(
  { store, executor, environment }: ModelDependencies,
  id: string | undefined,
  request: ScoreRequest,
): Promise<ScoreResult> {
  const model = referToModel(chooseExperiment(store, id), environment.dataDir);
  return executor.run({ type: 'score', model, request });
}

/**
 * Perplexity of a model on a split of a corpus, or on a text.
 * @throws experiment-not-found, experiment-untrained, corpus-not-found, and what the executor throws
 */
export async function evaluate(
  { store, executor, corpora, environment }: ModelDependencies,
  id: string,
  request: EvaluationRequest,
): Promise<EvaluationResult> {
  if (request.text !== undefined && (request.corpus !== undefined || request.split !== undefined))
    throw appError('config-conflict', { field: 'text', reason: 'it cannot stand beside corpus or split' });
  const model = referToModel(findExperiment(store, id), environment.dataDir);
  if (request.corpus !== undefined) await corpora.assertExists(request.corpus);
  return executor.run({ type: 'evaluate', model, request, ...corpora.source });
}

function chooseExperiment(store: Store, id: string | undefined): ExperimentRecord {
  if (id !== undefined) return findByIdOrName(store, id);
  const best = store.experiments.findBestSucceeded();
  if (!best) throw appError('no-experiment');
  return best;
}

/** @throws experiment-untrained */
export function referToModel(
  { id, state, modelDigest }: ExperimentRecord,
  dataDirectory: string,
): ModelReference {
  if (modelDigest === null) throw appError('experiment-untrained', { experiment: id, state });
  return {
    experimentId: id,
    modelDirectory: join(experimentDirectory(dataDirectory, id), 'model'),
    digest: modelDigest,
  };
}
