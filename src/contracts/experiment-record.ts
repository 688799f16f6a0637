import { z } from 'zod';
import { ExperimentState } from './experiment.js';
import { ExperimentConfig, ExperimentTags } from './experiment-config.js';
import { SerializedError } from './serialized-error.js';

/** What an attempt ran on. */
export const ExperimentRun = z.object({ backend: z.string(), kernels: z.string(), threads: z.number() });
export type ExperimentRun = z.infer<typeof ExperimentRun>;

const flag = z.union([z.literal(0), z.literal(1)]).transform((value) => value === 1);
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

/** A row of the table `experiments`, read. */
export const ExperimentRecord = z.object({
  number: z.int().describe('Order of arrival'),
  id: z.string(),
  name: z.string(),
  tags: json(ExperimentTags),
  notes: z.string(),
  priority: z.int(),
  state: ExperimentState,
  config: json(ExperimentConfig),
  parentId: z.string().nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  attempt: z.int().describe('Starts on a host so far; only the latest one may say anything'),
  runSeq: z.int().describe('Number of the last event of the present attempt that was recorded'),
  restarts: z
    .int()
    .describe('Starts that nobody asked for, since somebody last did or a checkpoint was written'),
  resume: flag.describe('The next start goes on from the latest checkpoint'),
  willRestart: flag.describe('Interrupted, to be queued again by itself'),
  pauseAtEpoch: z.int().nullable().describe('It pauses by itself when so many epochs are done'),
  seq: z.int().describe('Number of its latest event'),
  queueOrder: z.int(),
  parameterCount: z.int().nullable(),
  vocabularySize: z.int().nullable(),
  bestEpoch: z.int().nullable(),
  bestValidPerplexity: z.number().nullable(),
  bestValidBitsPerByte: z.number().nullable(),
  testPerplexity: z.number().nullable(),
  testBitsPerByte: z.number().nullable(),
  digest: z.string().nullable(),
  modelDigest: z.string().nullable().describe('Of the weights that are served; null = none yet'),
  run: z.union([z.null(), json(ExperimentRun)]),
  error: z.union([z.null(), json(SerializedError)]),
});
export type ExperimentRecord = z.infer<typeof ExperimentRecord>;

type ChangingFields = Omit<ExperimentRecord, 'number' | 'id' | 'createdAt' | 'parentId'>;

/** Fields of a record that change after it is made; undefined ones stay as they are. */
export type ExperimentPatch = {
  readonly [Field in keyof ChangingFields]?: ChangingFields[Field] | undefined;
};

/** What a new record begins with. */
export type NewExperiment = Pick<
  ExperimentRecord,
  'id' | 'name' | 'tags' | 'notes' | 'priority' | 'state' | 'config' | 'parentId' | 'createdAt'
>;
