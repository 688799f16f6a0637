import { openAsBlob } from 'node:fs';
import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { type GatelmClient, GatelmError } from '../../client/client.js';
import { EXIT } from '../exit-codes.js';
import { clientOf, print, type ServerOptions, withServer } from '../server-command.js';
import { follow } from './follow.js';
import { trainBody } from './train-body.js';
import type { TrainOptions } from './train-options.js';

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
    .option('--local', 'train without a server; Ctrl-C asks whether to pause or cancel')
    .option('--out <folder>', 'with --local: folder of the model; default: ./models/NAME')
    .action(async (options: TrainOptions) => {
      process.exitCode = options.local
        ? await (await import('./train-local.js')).trainLocally(options)
        : await train(options);
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
  if (options.out !== undefined)
    throw new GatelmError(400, {
      detail: '--out goes with --local; gatelm export fetches a model from a server',
    });
  const client = clientOf(options);
  const { file, corpus } = options;
  const body = await trainBody(options, file === undefined ? corpus : await upload(client, file, corpus));
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
