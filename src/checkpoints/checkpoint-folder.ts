import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { TrainerProgress } from '../contracts/trainer-progress.js';
import { appError } from '../errors.js';
import { sha256, writeDurably } from '../files/durable-file.js';
import { CHECKPOINTS, keptCheckpoint, LATEST_CHECKPOINT, MODEL, MODEL_FILES } from '../files/layout.js';
import { pruneCheckpoints } from '../files/prune-checkpoints.js';
import type { Tensor } from '../tensor/tensorflow.js';
import type { CheckpointSink, SavedCheckpoint } from '../training/checkpoint-sink.js';
import type { TrainerSnapshot } from '../training/trainer-snapshot.js';
import { weightsDigest } from '../training/weights-digest.js';
import { fromHostTensors, toHostTensors } from './host-tensors.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

/** Version of the layout below; another one is refused. */
const FORMAT_VERSION = 1;

/** `checkpoints/latest.json`: which tensors file is the latest checkpoint, and all that is not a tensor. */
const CheckpointRecord = z.strictObject({
  version: z.literal(FORMAT_VERSION),
  file: z.string().regex(/^step-\d+(-[0-9a-f]+)?\.safetensors$/),
  sha256: z.string(),
  progress: TrainerProgress,
  optimizer: z.record(z.string(), z.union([z.number(), z.array(z.number())])),
});

/**
 * The checkpoints of one experiment on the disk,
 * laid out as src/files/layout.ts says: `latest.json` holds what is not a tensor, and the name and SHA-256 of a tensors file.
 *
 * A checkpoint counts from the moment that `latest.json` is renamed into its place; the tensors file before it is
 * removed after that, so that a crash at any moment leaves a whole one. The name has a part of the SHA-256: two
 * checkpoints of one step (in the middle of an epoch and at its end) must not share a file.
 */
export class CheckpointFolder implements CheckpointSink {
  readonly #folder: string;
  readonly #keepEvery: number | null;

  /** @param folder the experiment's folder @param options.keepEvery epochs between snapshots that are kept for good */
  constructor(folder: string, { keepEvery = null }: { readonly keepEvery?: number | null } = {}) {
    this.#folder = folder;
    this.#keepEvery = keepEvery;
    mkdirSync(join(folder, CHECKPOINTS), { recursive: true });
    mkdirSync(join(folder, MODEL), { recursive: true });
  }

  saveSnapshot({ progress, optimizer, tensors }: TrainerSnapshot): SavedCheckpoint {
    const bytes = encodeSafetensors(toHostTensors(tensors));
    const digest = sha256(bytes);
    const file = `step-${String(progress.step).padStart(9, '0')}-${digest.slice(0, 8)}.safetensors`;
    writeDurably(this.#path(CHECKPOINTS, file), bytes);
    const record = { version: FORMAT_VERSION, file, sha256: digest, progress, optimizer };
    const json = Buffer.from(JSON.stringify(record));
    if (this.#isKept(progress)) writeDurably(this.#path(CHECKPOINTS, keptCheckpoint(progress.epoch)), json);
    writeDurably(this.#path(CHECKPOINTS, LATEST_CHECKPOINT), json);
    pruneCheckpoints(this.#path(CHECKPOINTS));
    return { file: `${CHECKPOINTS}/${file}`, bytes: bytes.length, digest: weightsDigest(weightsOf(tensors)) };
  }

  loadSnapshot(): TrainerSnapshot | null {
    const path = this.#path(CHECKPOINTS, LATEST_CHECKPOINT);
    if (!existsSync(path)) return null;
    const record = parseRecord(readFileSync(path, 'utf8'), path);
    const bytes = readVerified(this.#path(CHECKPOINTS, record.file), record.sha256);
    return {
      progress: record.progress,
      optimizer: record.optimizer,
      tensors: fromHostTensors(decodeSafetensors(bytes, record.file).tensors),
    };
  }

  saveBestWeights(weights: ReadonlyMap<string, Tensor>): SavedCheckpoint {
    const digest = weightsDigest(weights);
    const bytes = encodeSafetensors(toHostTensors(weights), { digest });
    writeDurably(this.#path(MODEL, MODEL_FILES.weights), bytes);
    this.#removeHalfWritten();
    return { file: `${MODEL}/${MODEL_FILES.weights}`, bytes: bytes.length, digest };
  }

  loadBestWeights(): ReadonlyMap<string, Tensor> {
    return loadWeights(this.#path(MODEL, MODEL_FILES.weights));
  }

  #isKept({ epoch, epochSteps }: TrainerSnapshot['progress']): boolean {
    return this.#keepEvery !== null && epoch > 0 && epochSteps === 0 && epoch % this.#keepEvery === 0;
  }

  /** Forgets all snapshots, so that the next training begins anew. The best weights stay until others replace them. */
  forgetSnapshot(): void {
    const folder = this.#path(CHECKPOINTS);
    rmSync(join(folder, LATEST_CHECKPOINT), { force: true });
    for (const file of readdirSync(folder)) rmSync(join(folder, file), { force: true });
  }

  #path(...parts: string[]): string {
    return join(this.#folder, ...parts);
  }

  /** What a process that was killed left of the weights. */
  #removeHalfWritten(): void {
    const folder = this.#path(MODEL);
    for (const file of readdirSync(folder)) {
      if (file.endsWith('.tmp')) rmSync(join(folder, file), { force: true });
    }
  }
}

/** The tensors of a weights file, checked against the digest that it carries. They are the caller's. */
export function loadWeights(path: string): ReadonlyMap<string, Tensor> {
  const { tensors, metadata } = decodeSafetensors(readOrRefuse(path), basename(path));
  const weights = fromHostTensors(tensors);
  const digest = weightsDigest(weights);
  if (metadata.digest !== undefined && metadata.digest !== digest) {
    for (const tensor of weights.values()) tensor.dispose();
    throw corrupt(path, `its weights have SHA-256 ${digest}, expected ${metadata.digest}`);
  }
  return weights;
}

/** The parameters among the tensors of a snapshot. */
export function weightsOf(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...tensors].filter(([name]) => !name.startsWith('optimizer.') && !name.startsWith('state.')),
  );
}

function parseRecord(json: string, path: string): z.infer<typeof CheckpointRecord> {
  try {
    return CheckpointRecord.parse(JSON.parse(json));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : 'it is not JSON';
    throw corrupt(path, reason, error);
  }
}

function readVerified(path: string, expected: string): Buffer {
  const bytes = readOrRefuse(path);
  const actual = sha256(bytes);
  if (actual !== expected) throw corrupt(path, `it has SHA-256 ${actual}, expected ${expected}`);
  return bytes;
}

function readOrRefuse(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw corrupt(path, (error as Error).message, error);
  }
}

function corrupt(path: string, reason: string, cause?: unknown) {
  return appError('checkpoint-corrupt', { file: basename(path), reason }, cause);
}
