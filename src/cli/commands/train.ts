import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { type GatelmClient, GatelmError } from '../../client/client.js';
import { EXIT } from '../exit-codes.js';
import { clientOf, print, type ServerOptions, withServer } from '../server-command.js';
import { paint } from '../terminal.js';
import { describePlan } from './describe-plan.js';
import { follow } from './follow.js';
import { openFile } from './open-file.js';
import { parseNumber } from './parse-number.js';
import { trainBody } from './train-body.js';
import type { TrainOptions } from './train-options.js';

/** train and watch: start an experiment, follow it in the terminal. */
export function addTrainCommands(program: Command): void {
  withServer(program.command('train'))
    .description('Train a model and follow it; Ctrl-C asks whether to detach, pause or cancel')
    .option('--preset <name>', 'named recipe, see GET /presets')
    .option('--corpus <name>', 'corpus to train on: handbook, ptb, …, or an uploaded text')
    .option('--file <text>', 'train on this file: a text, .zip, .csv or .jsonl')
    .option('--budget <time>', 'how long the training may take, such as 30s, 2m or 1h')
    .option('--epochs <number>', 'passes over the text', parseNumber)
    .option('--seed <number>', 'seed of weights and masks', parseNumber)
    .option('--name <name>', 'name of the experiment')
    .option('--tag <tag...>', 'tags to filter by')
    .option('--config <json>', 'other fields of POST /experiments; - reads standard input', '{}')
    .option(
      '--dry-run',
      'show what would be trained and its estimated cost; with --json, the complete config',
    )
    .option(
      '--again <run>',
      'train as this run was trained, an id, a name or its .zip of export --archive, and compare the weights',
    )
    .option('--detach', 'do not follow the training')
    .option('--local', 'train without a server; Ctrl-C asks whether to pause or cancel')
    .option('--out <folder>', 'with --local: folder of the model; default: ./models/NAME')
    .action(async (options: TrainOptions) => {
      process.exitCode =
        options.local && options.again === undefined
          ? await (await import('./train-local.js')).trainLocally(options)
          : await train(options);
    });
  withServer(program.command('watch <experiment>'))
    .description('Follow a training in the terminal; with --json, one event per line')
    .option('--since <seq>', 'only events after this number', parseNumber, 0)
    .action(async (id: string, options: ServerOptions & { since: number }) => {
      const client = clientOf(options);
      const experiment = await client.getExperiment(id);
      process.exitCode = await follow(client, experiment, options);
    });
}

async function train(options: TrainOptions): Promise<number> {
  if (options.out !== undefined)
    throw new GatelmError(400, {
      detail: '--out goes with --local; gatelm export fetches a model from a server',
    });
  const client = clientOf(options);
  const { file, again } = options;
  const corpusOf = async () => (file === undefined ? options.corpus : upload(client, file, options.corpus));
  if (again !== undefined) return (await import('./train-again.js')).trainAgain(again, options, corpusOf);
  const body = await trainBody(options, await corpusOf());
  if (options.dryRun) {
    const plan = await client.planExperiment(body as never);
    print(options, plan, () => describePlan(plan));
    return EXIT.done;
  }
  const experiment = await client.createExperiment(body as never);
  if (options.detach) {
    print(options, experiment, () => experiment.id);
    return EXIT.done;
  }
  if (!options.json) {
    console.log(`${experiment.id} ${experiment.state}: ${experiment.name}`);
    for (const reason of experiment.config.reasons ?? []) console.log(paint('dim', `  ${reason}`));
  }
  for (const warning of experiment.warnings) console.error(`! ${warning}`);
  return follow(client, experiment, options);
}

/** Uploads a text, unless one of the same name and size exists. @returns its name */
async function upload(
  client: GatelmClient,
  file: string,
  name = basename(file, extname(file)),
): Promise<string> {
  const blob = await openFile(file);
  const known = (await client.listCorpora()).items.find((corpus) => corpus.name === name);
  if (known && known.bytes === blob.size) return known.name;
  await client.uploadCorpus(name, { file: blob });
  return name;
}
