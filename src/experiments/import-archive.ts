import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Environment } from '../contracts/environment.js';
import { StoredEvent, type TrainingEvent } from '../contracts/events.js';
import type { Experiment } from '../contracts/experiment.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import { ARCHIVE_FILES, RunArchive } from '../contracts/run-archive.js';
import { parseStrictly } from '../contracts/validation.js';
import type { ByteSource } from '../corpora/staged-upload.js';
import { appError } from '../errors.js';
import { FolderArtifactStore } from '../files/folder-artifact-store.js';
import { experimentKey, pathOf } from '../files/layout.js';
import { ZipReader } from '../files/zip.js';
import type { Store } from '../store/store.js';
import { applyEvent } from './apply-event.js';
import type { DataFolder } from './data-folder.js';
import { assertRoomOnDisk } from './disk-quota.js';
import { fillFolder } from './experiment-folder.js';
import { newExperimentId } from './experiment-id.js';
import { viewExperiment } from './experiment-view.js';
import { TransferFolder } from './transfer-folder.js';

interface ImportArchiveDependencies {
  readonly store: Store;
  readonly folder: DataFolder;
  readonly environment: Pick<Environment, 'dataDir' | 'maxArchiveBytes' | 'diskQuotaBytes'>;
}

/** An event of these types leaves the experiment's own row as it is. */
const FREQUENT: ReadonlySet<TrainingEvent['type']> = new Set(['step', 'sample']);
const ARCHIVE = 'run.zip';

/**
 * Takes in the record of a run that another gatelm has archived. It is told again, event by event, so that what it came to
 * cannot contradict what it said. It keeps its id where that is free.
 * @throws bad-request, validation-failed, artifact-corrupt, body-too-large, disk-quota-exceeded, out-of-disk, write-failed
 */
export async function importArchive(
  { store, folder, environment }: ImportArchiveDependencies,
  bytes: ByteSource,
): Promise<Experiment> {
  const { dataDir, maxArchiveBytes } = environment;
  await assertRoomOnDisk(folder, environment);
  const transfer = await TransferFolder.create(dataDir);
  try {
    await transfer.receive(ARCHIVE, bytes, maxArchiveBytes);
    const zip = await ZipReader.open(join(transfer.path, ARCHIVE), maxArchiveBytes);
    try {
      const run = parseStrictly(
        RunArchive,
        parseJson(await text(await zip.read(ARCHIVE_FILES.record))),
        'run.json',
      );
      const events = await readEvents(zip);
      const isTaken =
        store.experiments.find(run.experiment.id) !== undefined ||
        existsSync(pathOf(dataDir, experimentKey(run.experiment.id)));
      const id = isTaken ? newExperimentId() : run.experiment.id;
      return await fillFolder(dataDir, id, async () => {
        const artifacts = new FolderArtifactStore(dataDir);
        for (const { path, ...expected } of run.files)
          await artifacts.put(`${experimentKey(id)}/${path}`, await zip.read(path), expected);
        return viewExperiment(store, tellAgain(store, id, run, events));
      });
    } finally {
      zip.close();
    }
  } finally {
    await transfer.discard();
  }
}

async function readEvents(zip: ZipReader): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const line of createInterface({ input: await zip.read(ARCHIVE_FILES.events) })) {
    const event = parseStrictly(StoredEvent, parseJson(line), `Event ${events.length + 1}`);
    if (event.seq !== events.length + 1)
      throw refused(`event ${events.length + 1} has the number ${event.seq}`);
    if (Number.isNaN(Date.parse(event.time))) throw refused(`event ${event.seq} has the time ${event.time}`);
    events.push(event);
  }
  if (events.length === 0) throw refused('it has no events');
  return events;
}

function tellAgain(
  store: Store,
  id: string,
  run: RunArchive,
  events: readonly StoredEvent[],
): ExperimentRecord {
  const { name, tags, notes, state, config, parentId, createdAt, ...model } = run.experiment;
  return store.transaction(() => {
    const isImported = events[0]!.type === 'succeeded'; // a model that was never trained by a gatelm
    const first = isImported ? 'succeeded' : 'queued';
    let experiment = store.experiments.insert({
      id,
      name,
      tags,
      notes,
      priority: 0,
      state: first,
      config,
      parentId: run.files.some(({ path }) => path.startsWith('initial/')) ? parentId : null,
      createdAt,
    });
    for (const { experimentId: _, seq, time, ...event } of events) {
      try {
        applyEvent(store, experiment, event, time);
      } catch (error) {
        throw refused(`event ${seq}: ${(error as Error).message}`);
      }
      store.events.append(experiment, event, time);
      if (!FREQUENT.has(event.type)) experiment = store.experiments.find(id)!;
    }
    if (experiment.state !== state)
      throw refused(`its events end with ${experiment.state}, run.json says ${state}`);
    const hasModel = run.files.some(({ path }) => path.startsWith('model/weights'));
    const { parameterCount, vocabularySize, modelDigest } = model;
    store.experiments.update(experiment.number, {
      willRestart: false, // it rests until somebody resumes it
      parameterCount,
      vocabularySize,
      modelDigest: hasModel ? modelDigest : null,
    });
    return store.experiments.find(id)!;
  });
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw refused((error as Error).message);
  }
}

function refused(reason: string) {
  return appError('bad-request', { reason: `The archive is not whole: ${reason}` });
}
