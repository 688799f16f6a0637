import { z } from 'zod';
import { ExperimentState } from './experiment.js';
import { ExperimentConfig } from './experiment-config.js';
import { ExperimentRun } from './provenance.js';
import { SerializedError } from './serialized-error.js';

const flag = z.union([z.literal(0), z.literal(1)]).transform((value) => value === 1);
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

/** A row of the table `experiments`. */
export const ExperimentRecord = z.object({
  number: z.int().describe('Order of creation'),
  id: z.string(),
  name: z.string(),
  tags: json(z.array(z.string())),
  notes: z.string(),
  priority: z.int(),
  state: ExperimentState,
  config: json(ExperimentConfig),
  parentId: z.string().nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  attempt: z
    .int()
    .describe('Number of starts on a host so far; only events of the latest attempt are accepted'),
  runSeq: z.int().describe('Number of the last recorded event of the current attempt'),
  restarts: z.int().describe('Automatic restarts since the last requested start or checkpoint'),
  resume: flag.describe('Whether the next start resumes from the latest checkpoint'),
  willRestart: flag.describe('Whether it is interrupted and will be queued again automatically'),
  pauseAtEpoch: z.int().nullable().describe('Epoch after which it pauses automatically'),
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
  modelDigest: z.string().nullable().describe('Digest of the weights that are served; null = none yet'),
  run: z.union([z.null(), json(ExperimentRun)]),
  error: z.union([z.null(), json(SerializedError)]),
});
export type ExperimentRecord = z.infer<typeof ExperimentRecord>;

type ChangingFields = Omit<ExperimentRecord, 'number' | 'id' | 'createdAt' | 'parentId'>;

/** The fields of a record that may change; undefined ones stay unchanged. */
export type ExperimentPatch = {
  readonly [Field in keyof ChangingFields]?: ChangingFields[Field] | undefined;
};

/** The fields of a new record. */
export type NewExperiment = Pick<
  ExperimentRecord,
  'id' | 'name' | 'tags' | 'notes' | 'priority' | 'state' | 'config' | 'parentId' | 'createdAt'
>;
