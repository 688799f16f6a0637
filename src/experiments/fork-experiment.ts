import { isDeepStrictEqual } from 'node:util';
import type { TokenizerConfig } from '../contracts/corpus.js';
import type { Experiment } from '../contracts/experiment.js';
import { ExperimentInput } from '../contracts/experiment-config.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import { ForkBody } from '../contracts/http.js';
import { assertHarmless, isPlainObject, mergePlain } from '../contracts/plain-data.js';
import { parseStrictly } from '../contracts/validation.js';
import { appError } from '../errors.js';
import { FolderArtifactStore } from '../files/folder-artifact-store.js';
import { experimentKey, initialKey } from '../files/layout.js';
import { copyInitialModel, hasKept, hasWeights } from './copy-checkpoint.js';
import { type CreateExperimentDependencies, storeExperiment } from './create-experiment.js';
import { assertRoomOnDisk } from './disk-quota.js';
import { fillFolder } from './experiment-folder.js';
import { newExperimentId } from './experiment-id.js';
import { findExperiment } from './find-experiment.js';

/**
 * Queues a new experiment that starts from the weights and the tokenizer of another's latest checkpoint. Its config is
 * the parent's, changed by the body; the optimizer state is new.
 * @param idempotencyKey repeating a request with the same key and body returns the fork that the first request created
 * @throws experiment-not-found, experiment-untrained, validation-failed, config-conflict when a change does not fit the
 * weights, corpus-not-found, queue-full, idempotency-conflict, out-of-disk, write-failed
 */
export async function forkExperiment(
  dependencies: CreateExperimentDependencies,
  dataDirectory: string,
  parentId: string,
  body: unknown,
  idempotencyKey?: string,
): Promise<{ readonly experiment: Experiment; readonly isNew: boolean }> {
  const parent = findExperiment(dependencies.store, parentId);
  const { fromEpoch, changes } = takeEpoch(body);
  const input = changeConfig(parent, changes);
  assertFits(parent, input);
  if (input.growVocabulary) assertCanGrow(parent, input.tokenizer);
  await dependencies.corpora.assertExists(input.corpus);
  await assertRoomOnDisk(dependencies.folder, dependencies.environment);
  if (!hasWeights(dataDirectory, parentId))
    throw appError('experiment-untrained', { experiment: parentId, state: parent.state });
  if (fromEpoch !== null && !hasKept(dataDirectory, parentId, fromEpoch))
    throw appError('checkpoint-not-found', {
      checkpoint: `of epoch ${fromEpoch} (training.keepEvery says which are kept; it is ${parent.config.training.keepEvery})`,
      experiment: parentId,
    });

  const id = newExperimentId();
  const files = new FolderArtifactStore(dataDirectory);
  const fork = await fillFolder(dataDirectory, id, async () => {
    await copyInitialModel(files, experimentKey(parentId), initialKey(id), fromEpoch);
    return storeExperiment(dependencies, input, { id, parentId, idempotencyKey });
  });
  if (!fork.isNew) await files.delete(experimentKey(id));
  return fork;
}

/** The epoch from which a fork starts, null = the latest checkpoint; and its changes. */
function takeEpoch(body: unknown): { fromEpoch: number | null; changes: unknown } {
  assertHarmless(body ?? {}, 'The fork');
  if (!isPlainObject(body) || !Object.hasOwn(body, 'fromEpoch')) return { fromEpoch: null, changes: body };
  const { fromEpoch, ...changes } = body;
  return { fromEpoch: parseStrictly(ForkBody.shape.fromEpoch, fromEpoch, 'The fork') ?? null, changes };
}

/** The parent's config merged with the body; tags and notes are not inherited. */
function changeConfig(
  { id, name, config }: ExperimentRecord,
  body: unknown,
): ExperimentInput & { readonly name: string } {
  const changes = body ?? {};
  if (isPlainObject(changes) && Object.hasOwn(changes, 'preset'))
    throw appError('config-conflict', {
      field: 'preset',
      reason: `a fork has the config of ${id}; change individual fields instead`,
    });
  const { reasons: _, growVocabulary: _g, ...parents } = config; // these concern only the parent
  const merged = isPlainObject(changes) ? mergePlain(parents, changes) : changes;
  const input = parseStrictly(ExperimentInput, merged, 'The fork');
  return { ...input, name: input.name ?? `fork of ${name}`.slice(0, 200) };
}

/** The limits of the vocabulary may change where it grows. */
function tokenizersToCompare(parents: TokenizerConfig, { tokenizer, growVocabulary }: ExperimentInput) {
  const { minCount, vocabularySize } = tokenizer;
  return [growVocabulary ? { ...parents, minCount, vocabularySize } : parents, tokenizer] as const;
}

/** @throws config-conflict */
function assertCanGrow({ id, vocabularySize: known }: ExperimentRecord, tokenizer: TokenizerConfig): void {
  const { type, vocabularySize } = tokenizer;
  if (type === 'byte-pair')
    throw appError('config-conflict', {
      field: 'growVocabulary',
      reason: `the byte pairs of ${id} encode any text, so that nothing is unknown; fork without it`,
    });
  if (known !== null && vocabularySize !== null && vocabularySize <= known)
    throw appError('config-conflict', {
      field: 'growVocabulary',
      reason: `the vocabulary of ${id} has ${known} tokens and tokenizer.vocabularySize allows ${vocabularySize}; set a larger one, or null for no limit`,
    });
}

/** @throws config-conflict, naming the first change that does not fit the weights of the parent */
function assertFits({ id, config }: ExperimentRecord, input: ExperimentInput): void {
  const fixed = [
    ['model.embeddingSize', config.model.embeddingSize, input.model.embeddingSize],
    ['model.hiddenSizes', config.model.hiddenSizes, input.model.hiddenSizes],
    ['model.tieWeights', config.model.tieWeights, input.model.tieWeights],
    ['tokenizer', ...tokenizersToCompare(config.tokenizer, input)],
  ] as const;
  for (const [field, parents, own] of fixed) {
    if (isDeepStrictEqual(parents, own)) continue;
    const reason = `${JSON.stringify(own)} does not fit the weights of ${id}, which have ${JSON.stringify(parents)}; a fork keeps them`;
    throw appError('config-conflict', { field, reason });
  }
}
