/** Transfers files between the server and a trainer. */
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { TrainingEvent } from '../../contracts/events.js';
import type { TrainingJob } from '../../contracts/jobs.js';
import { type ArtifactStore, copyArtifact } from '../../files/artifact-store.js';
import { copySnapshot } from '../../files/copy-snapshot.js';
import {
  CHECKPOINTS,
  CORPORA,
  CORPUS_MANIFEST,
  keptCheckpoint,
  MODEL,
  MODEL_FILES,
} from '../../files/layout.js';

/** Downloads the inputs of a training: its corpus, if it was uploaded, and its checkpoint or that of its parent. */
export async function fetchInputs(
  { config, folder, resume, initial }: TrainingJob,
  server: ArtifactStore,
  local: ArtifactStore,
): Promise<void> {
  await local.delete(folder); // leftovers of an earlier attempt
  await fetchCorpus(config.corpus, server, local);
  if (initial !== null) for (const key of await server.list(initial)) await fetchOne(key, server, local);
  if (!resume) return;
  for (const key of await server.list(`${folder}/${MODEL}`)) await fetchOne(key, server, local);
  await copySnapshot({ from: server, key: folder, to: local });
}

/** Uploads the files of a training before the event that announces them is forwarded. */
export async function sendFiles(
  { folder }: Pick<TrainingJob, 'folder'>,
  event: TrainingEvent,
  local: ArtifactStore,
  server: ArtifactStore,
): Promise<void> {
  if (event.type === 'started') {
    for (const file of [MODEL_FILES.tokenizer, MODEL_FILES.description])
      await copyArtifact(local, `${folder}/${MODEL}/${file}`, server);
  }
  if (event.type !== 'checkpoint') return;
  const { file, epoch, isBest } = event.data;
  const weights = `${MODEL}/${MODEL_FILES.weights}`;
  if (isBest || file === weights) await copyArtifact(local, `${folder}/${weights}`, server);
  // A file that was replaced in the meantime is uploaded with the next event.
  await copySnapshot({ from: local, key: folder, to: server, only: file });
  const kept = `${folder}/${CHECKPOINTS}/${keptCheckpoint(epoch)}`;
  await copyArtifact(local, kept, server);
}

const Manifest = z.object({ id: z.string(), name: z.string() });

/** Known corpora are downloaded from their sources; uploaded ones from the server. */
async function fetchCorpus(corpus: string, server: ArtifactStore, local: ArtifactStore): Promise<void> {
  const keys = await server.list(CORPORA);
  for (const key of keys.filter((each) => each.endsWith(`/${CORPUS_MANIFEST}`))) {
    const stream = await server.get(key);
    const manifest = Manifest.safeParse(stream && JSON.parse(await text(stream)));
    if (!manifest.success || (manifest.data.id !== corpus && manifest.data.name !== corpus)) continue;
    const folder = key.slice(0, -CORPUS_MANIFEST.length);
    for (const file of keys.filter((each) => each.startsWith(folder))) await fetchOne(file, server, local);
  }
}

async function fetchOne(key: string, server: ArtifactStore, local: ArtifactStore): Promise<void> {
  const [wanted, here] = [await server.stat(key), await local.stat(key)];
  if (!wanted || (here && here.sha256 === wanted.sha256)) return;
  const bytes = await server.get(key);
  if (bytes) await local.put(key, bytes, wanted);
}
