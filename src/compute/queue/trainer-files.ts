/** Transfers files between the server and a trainer, over HTTP or through an exchange. */
import { z } from 'zod';
import type { TrainingEvent } from '../../contracts/events.js';
import type { TrainingJob } from '../../contracts/jobs.js';
import { appError } from '../../errors.js';
import { type ArtifactStore, copyArtifact, copyIfChanged, readText } from '../../files/artifact-store.js';
import { copySnapshot, LATEST } from '../../files/copy-snapshot.js';
import type { FolderArtifactStore } from '../../files/folder-artifact-store.js';
import {
  CHECKPOINTS,
  CORPORA,
  CORPUS_MANIFEST,
  experimentKey,
  keptCheckpoint,
  MODEL,
  MODEL_FILES,
} from '../../files/layout.js';
import { pruneCheckpoints } from '../../files/prune-checkpoints.js';
import type { Lease } from '../training-executor.js';

/** In the place of a lease in an exchange: put there when its inputs are complete. */
export const LEASE_RECORD = 'lease.json';

const WEIGHTS = `${MODEL}/${MODEL_FILES.weights}`;
/** Attempts to fetch a checkpoint that the training may replace at any time. */
const MAX_ATTEMPTS = 5;
/** Known with the event `started`. */
const DESCRIPTION = [MODEL_FILES.tokenizer, MODEL_FILES.description];

/** Copies the inputs of a training: its corpus, if it was uploaded, and its checkpoint or that of its parent. */
export async function copyInputs(
  { config, folder, resume, initial }: TrainingJob,
  from: ArtifactStore,
  to: ArtifactStore,
): Promise<void> {
  await to.delete(folder); // leftovers of an earlier attempt
  await copyCorpus(config.corpus, from, to);
  if (initial !== null) for (const key of await from.list(initial)) await copyIfChanged(key, from, to);
  if (!resume) return;
  for (const key of await from.list(`${folder}/${MODEL}`)) await copyIfChanged(key, from, to);
  await copySnapshot({ from, key: folder, to });
}

/** Sends the files of a training before the event that announces them is forwarded. */
export async function sendFiles(
  { folder }: Pick<TrainingJob, 'folder'>,
  event: TrainingEvent,
  local: ArtifactStore,
  server: ArtifactStore,
): Promise<void> {
  if (event.type === 'started')
    for (const file of DESCRIPTION) await copyArtifact(local, `${folder}/${MODEL}/${file}`, server);
  if (event.type !== 'checkpoint') return;
  const { file, epoch, isBest } = event.data;
  if (isBest || file === WEIGHTS) await copyArtifact(local, `${folder}/${WEIGHTS}`, server);
  // A file that was replaced in the meantime is sent with the next event.
  await copySnapshot({ from: local, key: folder, to: server, only: file });
  await copyKept(folder, epoch, local, server);
}

/**
 * Fetches what {@link sendFiles} has put into the exchange, before the event is stored: the latest checkpoint, which may be
 * a later one than that of the event.
 * @throws artifact-not-found where the exchange has lost it
 */
export async function receiveFiles(
  { experimentId }: Lease,
  event: TrainingEvent,
  exchange: ArtifactStore,
  local: FolderArtifactStore,
): Promise<void> {
  const folder = experimentKey(experimentId);
  if (event.type === 'started')
    for (const file of DESCRIPTION) await receive(`${folder}/${MODEL}/${file}`, exchange, local);
  if (event.type !== 'checkpoint') return;
  const { file, epoch, isBest } = event.data;
  if (isBest) await receive(`${folder}/${WEIGHTS}`, exchange, local);
  if (!(await receiveLatest(folder, exchange, local, file)))
    throw appError('artifact-not-found', { key: `${folder}/${LATEST}` });
  await copyKept(folder, epoch, exchange, local);
  pruneCheckpoints(local.path(`${folder}/${CHECKPOINTS}`));
}

/** Fetches a checkpoint that came into the exchange, but whose trainer died before it sent the event. */
export async function receiveUnannounced(
  { experimentId }: Lease,
  exchange: ArtifactStore,
  local: FolderArtifactStore,
): Promise<void> {
  await receiveLatest(experimentKey(experimentId), exchange, local, null);
}

/**
 * Fetches the latest checkpoint. If it is another one than expected, the best weights belong to it, too.
 * @param expected its tensors file
 * @returns whether there is one
 */
async function receiveLatest(
  folder: string,
  exchange: ArtifactStore,
  local: ArtifactStore,
  expected: string | null,
): Promise<boolean> {
  const key = `${folder}/${LATEST}`;
  for (let tries = 0; tries < MAX_ATTEMPTS; tries++) {
    const latest = await readText(exchange, key);
    if (latest === null) return false;
    if (latest === (await readText(local, key))) return true;
    const only = `${CHECKPOINTS}/${CheckpointRecord.parse(JSON.parse(latest)).file}`;
    if (only !== expected) await copyIfChanged(`${folder}/${WEIGHTS}`, exchange, local);
    if (await copySnapshot({ from: exchange, key: folder, to: local, only })) return true;
  }
  return true; // it was replaced each time: the next event will bring it
}

/** @throws artifact-not-found */
async function receive(key: string, exchange: ArtifactStore, local: ArtifactStore): Promise<void> {
  if (!(await copyIfChanged(key, exchange, local))) throw appError('artifact-not-found', { key });
}

/** Copies the checkpoint of an epoch, if it is one that is kept. */
async function copyKept(
  folder: string,
  epoch: number,
  from: ArtifactStore,
  to: ArtifactStore,
): Promise<void> {
  const record = `${CHECKPOINTS}/${keptCheckpoint(epoch)}`;
  const json = await readText(from, `${folder}/${record}`);
  if (json === null || json === (await readText(to, `${folder}/${record}`))) return;
  const tensors = `${folder}/${CHECKPOINTS}/${CheckpointRecord.parse(JSON.parse(json)).file}`;
  if (await copyIfChanged(tensors, from, to)) await to.put(`${folder}/${record}`, Buffer.from(json));
}

const CheckpointRecord = z.object({ file: z.string() });
const Manifest = z.object({ id: z.string(), name: z.string() });

/** Known corpora are downloaded from their sources; uploaded ones are copied, and forgotten where they were deleted. */
async function copyCorpus(corpus: string, from: ArtifactStore, to: ArtifactStore): Promise<void> {
  const keys = await from.list(CORPORA);
  const folders = new Set(keys.map(folderOf));
  for (const folder of new Set((await to.list(CORPORA)).map(folderOf)))
    if (!folders.has(folder)) await to.delete(folder);
  for (const key of keys.filter((each) => each.endsWith(`/${CORPUS_MANIFEST}`))) {
    const manifest = Manifest.safeParse(JSON.parse((await readText(from, key)) ?? 'null'));
    if (!manifest.success || (manifest.data.id !== corpus && manifest.data.name !== corpus)) continue;
    for (const file of keys.filter((each) => folderOf(each) === folderOf(key)))
      await copyIfChanged(file, from, to);
  }
}

/** `corpora/ID/…` → `corpora/ID`. */
function folderOf(key: string): string {
  return key.split('/').slice(0, 2).join('/');
}
