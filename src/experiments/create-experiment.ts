import { createHash } from 'node:crypto';
import type { InferenceExecutor } from '../compute/inference-executor.js';
import type { Environment } from '../contracts/environment.js';
import type { Experiment } from '../contracts/experiment.js';
import type { ExperimentConfig, ExperimentInput } from '../contracts/experiment-config.js';
import type { CreatedExperiment, ExperimentPlan } from '../contracts/http.js';
import { AppError, appError, serializeError } from '../errors.js';
import type { Store } from '../store/store.js';
import { checkText } from './check-text.js';
import type { DataFolder } from './data-folder.js';
import { defaultName } from './default-name.js';
import { assertRoomOnDisk } from './disk-quota.js';
import { newExperimentId } from './experiment-id.js';
import { viewExperiment } from './experiment-view.js';
import { type ResolveDependencies, resolveExperiment } from './resolve-experiment.js';
import type { TrainingScheduler } from './training-scheduler.js';

export interface CreateExperimentDependencies extends ResolveDependencies {
  readonly store: Store;
  readonly queue: TrainingScheduler;
  readonly folder: DataFolder;
  readonly environment: Pick<Environment, 'maxQueued' | 'diskQuotaBytes'>;
}

/**
 * The experiment that POST /experiments would store, and its cost estimated from a short trial run.
 * @throws validation-failed, corpus-not-found, corpus-too-short
 */
export async function planExperiment(
  dependencies: ResolveDependencies & { readonly executor: InferenceExecutor },
  body: unknown,
  signal: AbortSignal,
): Promise<ExperimentPlan> {
  const { name, tags, notes, priority, ...config } = await resolveExperiment(dependencies, body);
  const warnings = await warningsOf(dependencies, config);
  const described = { name: name ?? defaultName(config), tags, notes, priority, config, warnings };
  const plan = { dryRun: true, ...described } as const;
  try {
    const estimate = await dependencies.executor.run({ type: 'estimate', config }, { signal });
    return { ...plan, estimate };
  } catch (error) {
    if (error instanceof AppError && error.kind === 'invalid') throw error;
    return { ...plan, estimate: null, reason: serializeError(error).message };
  }
}

/**
 * Stores an experiment and queues it.
 * @param idempotencyKey repeating a request with the same key and body returns the experiment that the first request created
 * @throws validation-failed, corpus-not-found, corpus-too-short, disk-quota-exceeded, queue-full, idempotency-conflict
 */
export async function createExperiment(
  dependencies: CreateExperimentDependencies,
  body: unknown,
  idempotencyKey?: string,
): Promise<{ readonly experiment: CreatedExperiment; readonly isNew: boolean }> {
  const input = await resolveExperiment(dependencies, body);
  const warnings = await warningsOf(dependencies, input);
  await assertRoomOnDisk(dependencies.folder, dependencies.environment);
  const name = input.name ?? defaultName(input);
  const { experiment, isNew } = storeExperiment(dependencies, { ...input, name }, { idempotencyKey });
  return { experiment: { ...experiment, warnings }, isNew };
}

/** @throws corpus-too-short, config-conflict */
async function warningsOf(
  { corpora, trainingExecutor }: ResolveDependencies,
  config: ExperimentConfig,
): Promise<string[]> {
  const warnings = await checkText(corpora, config);
  const { requires } = config;
  if (!requires || !trainingExecutor || trainingExecutor.capacity(requires) > 0) return warnings;
  const memory = requires.memoryGib === undefined ? [] : [`${requires.memoryGib} GiB of memory`];
  const required = [...requires.labels, ...memory].join(', ');
  return [...warnings, `No machine is there that has what it requires (${required}); it waits for one`];
}

/** Options of a new experiment besides its config. */
export interface NewExperimentOptions {
  readonly id?: string;
  readonly parentId?: string;
  /** Repeating a request with the same key and input returns the experiment that the first request created. */
  readonly idempotencyKey?: string | undefined;
  /** Epoch after which it pauses automatically. */
  readonly pauseAtEpoch?: number | null;
}

/**
 * Stores a checked experiment and queues it.
 * @throws queue-full, idempotency-conflict
 */
export function storeExperiment(
  { store, queue, environment }: Omit<CreateExperimentDependencies, 'corpora' | 'folder'>,
  input: ExperimentInput & { readonly name: string },
  { id = newExperimentId(), parentId, idempotencyKey, pauseAtEpoch = null }: NewExperimentOptions,
): { readonly experiment: Experiment; readonly isNew: boolean } {
  const bodyDigest = digestOf(input, parentId);
  return store.transaction(() => {
    const earlier = idempotencyKey === undefined ? undefined : store.idempotency.find(idempotencyKey);
    if (earlier) {
      if (earlier.bodyDigest !== bodyDigest) throw appError('idempotency-conflict', { key: idempotencyKey });
      const made = store.experiments.find(earlier.experimentId)!;
      return { experiment: viewExperiment(store, made), isNew: false };
    }
    assertRoomInQueue(store, environment.maxQueued);
    const { name, tags, notes, priority, ...config } = input;
    const createdAt = new Date().toISOString();
    const stored = store.experiments.insert({
      id,
      name,
      tags,
      notes,
      priority,
      state: 'queued',
      config,
      parentId: parentId ?? null,
      createdAt,
    });
    if (idempotencyKey !== undefined)
      store.idempotency.add(idempotencyKey, bodyDigest, stored.number, createdAt);
    const queued = queue.enqueue(stored, { resume: false, restarts: 0, pauseAtEpoch });
    return { experiment: viewExperiment(store, queued), isNew: true };
  });
}

function assertRoomInQueue(store: Store, limit: number): void {
  const queued = store.experiments.countByState().get('queued') ?? 0;
  if (queued >= limit) throw appError('queue-full', { what: 'The queue', limit });
}

/** Digest of the resolved input, so that equivalent bodies have the same digest. */
function digestOf(input: ExperimentInput, parentId?: string): string {
  return createHash('sha256')
    .update(JSON.stringify(parentId === undefined ? input : [parentId, input]))
    .digest('hex');
}
