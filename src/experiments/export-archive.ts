import { Readable } from 'node:stream';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import { ARCHIVE_FILES, type RunArchive } from '../contracts/run-archive.js';
import { appError } from '../errors.js';
import { FolderArtifactStore } from '../files/folder-artifact-store.js';
import { CHECKPOINTS, experimentKey, MODEL } from '../files/layout.js';
import { writeZip } from '../files/zip.js';
import type { Store } from '../store/store.js';
import { findExperiment } from './find-experiment.js';
import { readEvents } from './read-events.js';
import { isNeeded } from './transitions.js';

/** Names within an archive. */
/**
 * The whole record of a run as one archive: its config, every event (its curves are in them), its model, and its checkpoints.
 * The text that it learned from is not in it.
 * @throws experiment-not-found, state-conflict while it trains or waits
 */
export async function exportArchive(
  { store, environment }: { readonly store: Store; readonly environment: { readonly dataDir: string } },
  id: string,
  { checkpoints }: { readonly checkpoints: boolean },
): Promise<Readable> {
  const experiment = findExperiment(store, id);
  isNeeded('archive', experiment); // throws
  const artifacts = new FolderArtifactStore(environment.dataDir);
  const root = experimentKey(experiment.id);
  const folders = checkpoints ? [MODEL, CHECKPOINTS, 'initial'] : [MODEL];
  const files: RunArchive['files'] = [];
  for (const folder of folders)
    for (const key of await artifacts.list(`${root}/${folder}`)) {
      const info = await artifacts.stat(key);
      if (info) files.push({ path: key.slice(root.length + 1), ...info });
    }
  const record = Buffer.from(JSON.stringify(describe(experiment, files), null, 2));
  return writeZip(
    [
      { name: ARCHIVE_FILES.record, compress: true, open: async () => Readable.from([record]) },
      {
        name: ARCHIVE_FILES.events,
        compress: true,
        open: async () => Readable.from(eventLines(store, experiment)),
      },
      ...files.map(({ path }) => ({
        name: path,
        compress: path.endsWith('.json'),
        open: async () => {
          const bytes = await artifacts.get(`${root}/${path}`);
          if (!bytes) throw appError('artifact-not-found', { key: path });
          return bytes;
        },
      })),
    ],
    new Date(),
  );
}

function describe(
  { id, name, tags, notes, state, config, parentId, createdAt, ...figures }: ExperimentRecord,
  files: RunArchive['files'],
): RunArchive {
  const { parameterCount, vocabularySize, modelDigest } = figures;
  const model = { parameterCount, vocabularySize, modelDigest };
  const experiment = { id, name, tags, notes, state, config, parentId, createdAt, ...model };
  return { format: 'gatelm-run', version: 1, experiment, files };
}

async function* eventLines(store: Store, experiment: ExperimentRecord): AsyncGenerator<Buffer> {
  for await (const page of readEvents(store, experiment))
    yield Buffer.from(page.map((event) => `${JSON.stringify(event)}\n`).join(''));
}
