import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Experiment, type GatelmClient, GatelmError } from '../../client/client.js';
import { StoredEvent } from '../../contracts/events.js';
import type { ExperimentConfig } from '../../contracts/experiment-config.js';
import type { ExperimentRun } from '../../contracts/provenance.js';
import { ARCHIVE_FILES, RunArchive } from '../../contracts/run-archive.js';
import { ZipReader } from '../../files/zip.js';
import { EXIT } from '../exit-codes.js';
import { clientOf, print } from '../server-command.js';
import { follow } from './follow.js';
import type { TrainOptions } from './train-options.js';

/** A run to repeat. */
interface Original {
  readonly id: string;
  readonly name: string;
  readonly config: ExperimentConfig;
  readonly isFork: boolean;
  /** Of the types `started` and `succeeded`. */
  readonly events: readonly StoredEvent[];
}

/** Options that would change what is trained. */
const REFUSED = ['preset', 'budget', 'epochs', 'seed', 'local', 'dryRun'] as const;

/**
 * Trains as another run was trained, and compares the weights.
 * @param again its id or name, or the .zip of `gatelm export --archive`
 * @param corpusOf uploads the file that is named, once nothing speaks against it; undefined = the run’s corpus
 * @returns the exit code: that of {@link follow}, or 1 if the weights differ
 * @throws GatelmError if the run cannot be repeated
 */
export async function trainAgain(
  again: string,
  options: TrainOptions,
  corpusOf: () => Promise<string | undefined>,
): Promise<number> {
  const given = REFUSED.find((name) => options[name] !== undefined);
  if (given || options.config !== '{}')
    throw refuse(`--again trains with the config of ${again}, and takes no --${given ?? 'config'}`);
  const client = clientOf(options);
  const original = again.endsWith('.zip') ? await readArchive(again) : await readExperiment(client, again);
  const body = repeat(original);
  const corpus = await corpusOf();
  const experiment = await client.createExperiment({
    ...body,
    name: options.name ?? `${original.name} again`.slice(0, 200),
    ...(corpus !== undefined && { corpus }),
    ...(options.tag && { tags: options.tag }),
  } as never);
  if (!options.json) console.log(`${experiment.id} ${experiment.state}: ${experiment.name}`);
  if (options.detach) return EXIT.done;
  const code = await follow(client, experiment, options);
  return code === EXIT.done ? compare(options, original, await client.getExperiment(experiment.id)) : code;
}

async function readExperiment(client: GatelmClient, name: string): Promise<Original> {
  const { id, ...experiment } = await client.getExperiment(name);
  const { items } = await client.listEvents(id, { types: 'started,succeeded', limit: 10_000 } as never);
  return {
    ...experiment,
    id,
    isFork: experiment.parentId !== null,
    events: items.map((event) => StoredEvent.parse(event)),
  };
}

async function readArchive(file: string): Promise<Original> {
  if (!existsSync(file)) throw refuse(`${file} does not exist`);
  const archive = await ZipReader.open(file, Number.POSITIVE_INFINITY);
  try {
    const { experiment } = RunArchive.parse(JSON.parse(await text(await archive.read(ARCHIVE_FILES.record))));
    const lines = (await text(await archive.read(ARCHIVE_FILES.events))).split('\n').filter(Boolean);
    const events = lines
      .map((line) => StoredEvent.parse(JSON.parse(line)))
      .filter(({ type }) => type === 'started' || type === 'succeeded');
    return { ...experiment, isFork: experiment.parentId !== null, events };
  } finally {
    archive.close();
  }
}

/** The body of POST /experiments that repeats a run. @throws GatelmError if none does */
function repeat({ id, config, isFork, events }: Original): object {
  const ends = events.filter((event) => event.type === 'succeeded');
  const [end] = ends;
  if (!end) throw refuse(`${id} has not succeeded: there is nothing to compare with`);
  if (isFork) throw refuse(`${id} is a fork: it began with the weights of another run`);
  if (ends.length > 1) throw refuse(`${id} was continued with another config: no one training repeats it`);
  const { reason } = end.data;
  if (reason === 'imported') throw refuse(`${id} was imported as a model: it was not trained here`);
  if (reason === 'max-duration')
    throw refuse(`${id} was ended by maxDuration, the clock: where is not in its config`);
  // What auto has chosen is in the config; naming it would let it choose again.
  const { reasons: _, preset, ...recipe } = config;
  return {
    ...recipe,
    ...(preset !== 'auto' && { preset }),
    training: repeatBudget(config.training, end.data),
  };
}

/** The training with the steps that its time budget was planned for instead of the budget. */
function repeatBudget(
  training: ExperimentConfig['training'],
  { plannedSteps, steps, firstPlannedSteps }: Extract<StoredEvent, { type: 'succeeded' }>['data'],
): ExperimentConfig['training'] {
  const { timeBudget, maxSteps } = training;
  if (timeBudget === null || maxSteps !== null) return { ...training, timeBudget: null };
  return {
    ...training,
    timeBudget: null,
    maxSteps: plannedSteps ?? steps ?? null,
    firstPlannedSteps: firstPlannedSteps ?? null,
  };
}

/** Says whether both runs ended in the same bytes, and else what they ran on. @returns the exit code */
function compare(options: TrainOptions, original: Original, { id, digest, run }: Experiment): number {
  const before = original.events.findLast((event) => event.type === 'started')?.data;
  const end = original.events.find((event) => event.type === 'succeeded')?.data;
  const same = end !== undefined && end.digest === digest;
  const differences = same || !before ? [] : differencesOf(before, run);
  print(options, { id, original: original.id, same, digest, expected: end?.digest, differences }, () =>
    same
      ? `the same weights as ${original.id}: SHA-256 ${digest}`
      : [`other weights than ${original.id}: SHA-256 ${digest}, not ${end?.digest}`, ...differences].join(
          '\n  ',
        ),
  );
  return same ? EXIT.done : EXIT.error;
}

function differencesOf(before: ExperimentRun, now: ExperimentRun | null): string[] {
  const flat = ({ backend, kernels, threads, provenance }: ExperimentRun) => ({
    backend,
    kernels,
    threads,
    ...provenance,
  });
  const [old, own] = [flat(before), now ? flat(now) : {}] as Record<string, unknown>[];
  const keys = Object.keys({ ...old, ...own }).filter((key) => old![key] !== own![key]);
  return keys.map((key) => `${key}: ${own![key] ?? 'not known'} here, ${old![key] ?? 'not known'} there`);
}

function refuse(detail: string): GatelmError {
  return new GatelmError(400, { detail });
}
