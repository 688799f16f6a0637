import { openAsBlob } from 'node:fs';
import { basename, extname } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { type Experiment, type GatelmClient, GatelmError, type ProgressEvent } from '../../client/client.js';
import { EventData } from '../../contracts/events.js';
import { EXIT } from '../exit-codes.js';
import { decimal, duration, ProgressDisplay } from '../progress-display.js';
import { clientOf, print, type ServerOptions, withServer } from '../server-command.js';
import { parseJson } from './experiments.js';

interface TrainOptions extends ServerOptions {
  readonly preset?: string;
  readonly corpus?: string;
  readonly file?: string;
  readonly budget?: string;
  readonly epochs?: string;
  readonly seed?: string;
  readonly name?: string;
  readonly tag?: string[];
  readonly config: string;
  readonly dryRun?: boolean;
  readonly detach?: boolean;
}

/** train and watch: start an experiment, follow it in the terminal. */
export function addTrainCommands(program: Command): void {
  withServer(program.command('train'))
    .description('Train a model and follow it; Ctrl-C asks whether to detach, pause or cancel')
    .option('--preset <name>', 'named recipe, see GET /presets')
    .option('--corpus <name>', 'corpus to train on: handbook, ptb, …, or an uploaded text')
    .option('--file <text>', 'upload this file first and train on it')
    .option('--budget <time>', 'time budget of the training, such as 2m')
    .option('--epochs <number>', 'passes over the text')
    .option('--seed <number>', 'seed of weights and masks')
    .option('--name <name>', 'name of the experiment')
    .option('--tag <tag...>', 'tags to filter by')
    .option('--config <json>', 'other fields of POST /experiments; - reads standard input', '{}')
    .option('--dry-run', 'show the complete config and the estimated cost without training')
    .option('--detach', 'do not follow the training')
    .action(async (options: TrainOptions) => {
      process.exitCode = await train(options);
    });
  withServer(program.command('watch <experiment>'))
    .description('Follow a training in the terminal; with --json, one event per line')
    .option('--since <seq>', 'only events after this number', '0')
    .action(async (id: string, options: ServerOptions & { since: string }) => {
      const client = clientOf(options);
      const experiment = await client.getExperiment(id);
      process.exitCode = await follow(client, experiment, { ...options, since: Number(options.since) });
    });
}

async function train(options: TrainOptions): Promise<number> {
  const client = clientOf(options);
  const body = await bodyOf(client, options);
  if (options.dryRun) {
    const plan = await client.planExperiment(body as never);
    print({ ...options, json: true }, plan, () => '');
    return EXIT.done;
  }
  const experiment = await client.createExperiment(body as never);
  if (options.detach) {
    print(options, experiment, () => experiment.id);
    return EXIT.done;
  }
  if (!options.json) console.log(`${experiment.id} ${experiment.state}: ${experiment.name}`);
  return follow(client, experiment, options);
}

/** The body of POST /experiments for the options; uploads the file, if there is one. */
async function bodyOf(client: GatelmClient, options: TrainOptions): Promise<Record<string, unknown>> {
  const { preset, file, budget, epochs, seed, name, tag } = options;
  const rest = parseJson(options.config === '-' ? await readStdin() : options.config, '--config');
  const corpus = file === undefined ? options.corpus : await upload(client, file, options.corpus);
  const training = {
    ...(rest.training as object | undefined),
    ...(epochs !== undefined && { epochs: Number(epochs) }),
    ...(seed !== undefined && { seed: Number(seed) }),
  };
  return {
    ...rest,
    ...(Object.keys(training).length > 0 && { training }),
    ...(preset !== undefined && { preset }),
    ...(corpus !== undefined && { corpus }),
    ...(budget !== undefined && { budget }),
    ...(name !== undefined && { name }),
    ...(tag !== undefined && { tags: tag }),
  };
}

/** Uploads a text, unless one of the same name and size exists. @returns its name */
async function upload(
  client: GatelmClient,
  file: string,
  name = basename(file, extname(file)),
): Promise<string> {
  const blob = await openAsBlob(file).catch((error: Error) => {
    throw new GatelmError(400, { detail: `--file ${file} cannot be read: ${error.message}` });
  });
  const known = (await client.listCorpora()).items.find((corpus) => corpus.name === name);
  if (known && known.bytes === blob.size) return known.name;
  await client.uploadCorpus(name, { file: blob });
  return name;
}

async function readStdin(): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

/** Follows a training to its end. @returns the exit code */
async function follow(
  client: GatelmClient,
  { id, config }: Experiment,
  { json = false, since = 0 }: { readonly json?: boolean; readonly since?: number },
): Promise<number> {
  const display = json ? null : new ProgressDisplay(process.stdout, config.training);
  const leave = new AbortController();
  const onInterrupt = () => void askWhatToDo(client, id, leave, display);
  process.on('SIGINT', onInterrupt);
  try {
    for await (const event of client.follow(id, { since, signal: leave.signal })) {
      if (json) console.log(JSON.stringify(event));
      display?.show(event);
      const code = endOf(event);
      if (code === undefined) continue;
      display?.end();
      if (!json) console.log(lastLine(id, event));
      return code;
    }
    display?.end();
    return leave.signal.aborted ? EXIT.done : EXIT.error;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** The exit code for an event that ends a training; undefined for other events. */
function endOf({ type, data }: ProgressEvent): number | undefined {
  switch (type) {
    case 'succeeded':
      return EXIT.done;
    case 'failed':
      return EXIT.trainingFailed;
    case 'cancelled':
    case 'paused':
      return EXIT.trainingStopped;
    case 'interrupted':
      return EventData.interrupted.parse(data).willRestart ? undefined : EXIT.trainingStopped;
    default:
      return undefined;
  }
}

function lastLine(id: string, { type, data }: ProgressEvent): string {
  if (type === 'succeeded') {
    const { testPerplexity, validPerplexity, seconds } = EventData.succeeded.parse(data);
    return `done in ${duration(seconds)}: valid perplexity ${decimal(validPerplexity)}, test ${decimal(testPerplexity)}\ngatelm generate ${id} --prompt "The"`;
  }
  if (type === 'failed') return `failed: ${EventData.failed.parse(data).error.message}`;
  if (type === 'interrupted')
    return `interrupted: ${EventData.interrupted.parse(data).reason}\ngatelm resume ${id}`;
  return type === 'paused' ? `paused\ngatelm resume ${id}` : type;
}

/** Ctrl-C: the training runs on the server, so it continues unless the user chooses otherwise. */
async function askWhatToDo(
  client: GatelmClient,
  id: string,
  leave: AbortController,
  display: ProgressDisplay | null,
): Promise<void> {
  if (!process.stdin.isTTY) return leave.abort();
  display?.end();
  const dialog = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await dialog
    .question('\nLeave it running (l), pause (p), cancel (c), or keep watching (w)? [l] ')
    .catch(() => 'l');
  dialog.close();
  switch (answer.trim().toLowerCase()[0] ?? 'l') {
    case 'p':
      await client.control(id, 'pause');
      break;
    case 'c':
      await client.control(id, 'cancel');
      break;
    case 'w':
      break;
    default:
      console.error(`Still running; to follow it: gatelm watch ${id}`);
      leave.abort();
  }
}
