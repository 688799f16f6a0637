import type { Command } from 'commander';
import type { Experiment, Verb } from '../../client/client.js';
import type { ContinueBody } from '../../contracts/http.js';
import { decimal, duration, integer } from '../progress-display.js';
import { clientOf, print, type ServerOptions, withServer } from '../server-command.js';
import { paint, sparkline, table } from '../terminal.js';
import { parseJson } from './parse-json.js';
import { parseNumber } from './parse-number.js';

interface ContinueOptions {
  readonly epochs: number;
  readonly learningRate?: number;
  readonly schedule?: string;
}

interface ForkOptions {
  readonly config: string;
  readonly corpus?: string;
  readonly growVocabulary?: boolean;
}

interface ListOptions extends ServerOptions {
  readonly state?: string;
  readonly tag?: string;
  readonly corpus?: string;
  readonly preset?: string;
  readonly name?: string;
  readonly sort?: string;
  readonly limit: number;
}

const VERBS: Readonly<Record<Verb, string>> = {
  pause: 'Write a checkpoint at the next step and stop; resume continues from it',
  resume: 'Requeue paused or interrupted experiments',
  cancel: 'Cancel experiments; their best weights stay usable',
  retry: 'Requeue failed, cancelled or interrupted experiments',
  kill: 'Stop experiments immediately, without a final checkpoint',
};

/** list, show, edit and delete experiments, and the actions that control them. */
export function addExperimentCommands(program: Command): void {
  withServer(program.command('list'))
    .description('List experiments, newest first')
    .option('--state <states>', 'only experiments in one of these states, comma-separated')
    .option('--tag <tag>', 'only experiments with this tag')
    .option('--corpus <name>', 'only experiments on this corpus')
    .option('--preset <name>', 'only experiments with this preset')
    .option('--name <text>', 'only experiments whose name contains this')
    .option('--sort <key>', 'created, or a metric such as validPerplexity; prefix - for descending order')
    .option('--limit <number>', 'maximum number of experiments', parseNumber, 20)
    .action(list);
  withServer(program.command('show <experiment>'))
    .description('Show one experiment: state, metrics, curve, config')
    .action(show);
  for (const [verb, description] of Object.entries(VERBS) as [Verb, string][])
    withServer(program.command(`${verb} <experiments...>`))
      .description(description)
      .action((ids: readonly string[], options: ServerOptions) =>
        forEach(ids, async (id) => {
          const experiment = await clientOf(options).control(id, verb);
          print(options, experiment, () => `${experiment.id} ${experiment.name} is ${experiment.state}`);
        }),
      );
  withServer(program.command('fork <experiment>'))
    .description('Queue a new experiment that starts from the weights of this one')
    .option('--corpus <name>', 'another corpus to train on')
    .option('--grow-vocabulary', 'add the words or characters of the corpus that the vocabulary lacks')
    .option('--config <json>', 'other changes, such as {"optimizer":{"learningRate":1}}', '{}')
    .action(async (id: string, options: ServerOptions & ForkOptions) => {
      const { config, corpus, growVocabulary } = options;
      const fork = await clientOf(options).forkExperiment(id, {
        ...parseJson(config, '--config'),
        ...(corpus !== undefined && { corpus }),
        ...(growVocabulary !== undefined && { growVocabulary }),
      });
      print(options, fork, () => `${fork.id} ${fork.state}: ${fork.name}`);
    });
  withServer(program.command('continue <experiment>'))
    .description('Train a succeeded experiment for more epochs')
    .requiredOption('--epochs <number>', 'number of further epochs', parseNumber)
    .option('--learning-rate <rate>', 'highest learning rate from now on', parseNumber)
    .option('--schedule <json>', 'schedule from now on, such as {"type":"constant"}')
    .action(async (id: string, options: ServerOptions & ContinueOptions) => {
      const { learningRate, schedule } = options;
      const experiment = await clientOf(options).continueExperiment(id, options.epochs, {
        ...(learningRate !== undefined && { learningRate }),
        ...(schedule !== undefined && {
          schedule: parseJson(schedule, '--schedule') as ContinueBody['schedule'],
        }),
      });
      print(options, experiment, () => `${experiment.id} is ${experiment.state}`);
    });
  withServer(program.command('delete <experiments...>'))
    .description('Delete experiments with their events, metrics and files')
    .action((ids: readonly string[], options: ServerOptions) =>
      forEach(ids, async (id) => {
        await clientOf(options).deleteExperiment(id);
        print(options, { deleted: id }, () => `deleted ${id}`);
      }),
    );
}

/** Acts on each in turn; the others too where one is refused. @throws AggregateError after all */
async function forEach(ids: readonly string[], act: (id: string) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  for (const id of ids) await act(id).catch((error) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors);
}

async function list(options: ListOptions): Promise<void> {
  const { state, tag, corpus, preset, name, sort, limit } = options;
  const query = { state, tag, corpus, preset, name, sort, limit };
  const page = await clientOf(options).listExperiments(query as never);
  print(options, page, () => {
    if (page.items.length === 0) return 'No experiments. Start one with gatelm train.';
    const heading = ['id', 'name', 'state', 'epoch', 'valid', 'best', 'test', 'bits/byte', 'left'];
    const more = page.nextCursor ? `\n… and more: --limit ${limit * 2}` : '';
    return table([heading, ...page.items.map(row)]) + more;
  });
}

function row({ id, name, state, latest, best, test }: Experiment): string[] {
  return [
    id,
    name.length > 40 ? `${name.slice(0, 39)}…` : name,
    state,
    latest.epoch === null ? '–' : decimal(latest.epoch),
    decimal(latest.validPerplexity),
    decimal(best.validPerplexity),
    decimal(test.perplexity),
    best.validBitsPerByte?.toFixed(3) ?? '–',
    state === 'running' ? duration(latest.remainingSeconds) : '–',
  ];
}

async function show(id: string, options: ServerOptions): Promise<void> {
  const client = clientOf(options);
  const experiment = await client.getExperiment(id);
  const { series } = await client.getMetrics(experiment.id, { keys: ['validPerplexity', 'trainPerplexity'] });
  print(options, experiment, () => {
    const { name, state, config, latest, best, test, parameterCount, vocabularySize, run, error } =
      experiment;
    const curve = (key: string) => {
      const values = (series[key] ?? []).map(({ value }) => value);
      return values.length === 0
        ? '–'
        : `${sparkline(values)}  ${decimal(values[0]!)} → ${decimal(values.at(-1)!)}`;
    };
    const lines: [string, string][] = [
      ['id', experiment.id],
      ['name', name],
      ['state', state],
      ['corpus', `${config.corpus}, ${config.tokenizer.type} tokens`],
      [
        'model',
        `${config.model.hiddenSizes.join(', ')} units, ${parameterCount === null ? '–' : integer(parameterCount)} parameters, vocabulary ${vocabularySize === null ? '–' : integer(vocabularySize)}`,
      ],
      ['epoch', `${latest.epoch === null ? '–' : decimal(latest.epoch)} of ${config.training.epochs}`],
      ['train perplexity', curve('trainPerplexity')],
      ['valid perplexity', curve('validPerplexity')],
      [
        'best',
        `${decimal(best.validPerplexity)} in epoch ${best.epoch ?? '–'}, ${best.validBitsPerByte?.toFixed(3) ?? '–'} bits per byte`,
      ],
      ['test perplexity', decimal(test.perplexity)],
      ['ran on', run ? `${run.backend}, ${run.kernels} kernels, ${run.threads} threads` : '–'],
    ];
    const text = lines.map(([label, value]) => `${paint('dim', label.padEnd(18))}${value}`);
    return [...text, ...(error ? [paint('red', `error: ${error.message}`)] : [])].join('\n');
  });
}
