/** A run's whole record as one .zip, which another gatelm takes in: `run.json`, `events.jsonl`, and the run's files. */
import { z } from 'zod';
import { ArtifactInfo, ArtifactKey } from './artifacts.js';
import { ExperimentState } from './experiment.js';
import { ExperimentConfig, ExperimentName, ExperimentNotes, ExperimentTags } from './experiment-config.js';

const count = z.int().min(0);

/** Files of an archive besides those of the run. */
export const ARCHIVE_FILES = { record: 'run.json', events: 'events.jsonl' } as const;

/** `run.json` of an archive. */
export const RunArchive = z.strictObject({
  format: z.literal('gatelm-run'),
  version: z.literal(1),
  experiment: z.strictObject({
    id: z.string().regex(/^[\w-]{1,64}$/, 'an id has letters, digits, "_" and "-"'),
    name: ExperimentName,
    tags: ExperimentTags,
    notes: ExperimentNotes,
    state: ExperimentState,
    config: ExperimentConfig,
    parentId: z.string().max(64).nullable(),
    createdAt: z.iso.datetime(),
    parameterCount: count.nullable(),
    vocabularySize: count.nullable(),
    modelDigest: z.string().max(64).nullable(),
  }),
  files: z
    .array(
      z.strictObject({
        path: ArtifactKey.regex(/^(model|checkpoints|initial)\//, 'of the model or its checkpoints'),
        ...ArtifactInfo.shape,
      }),
    )
    .max(10_000),
});
export type RunArchive = z.infer<typeof RunArchive>;

export const ArchiveQuery = z.strictObject({
  checkpoints: z
    .boolean()
    .default(true)
    .describe(
      'With its checkpoints, so that it can be resumed or continued elsewhere; without them: the model',
    ),
});
export type ArchiveQuery = z.infer<typeof ArchiveQuery>;
