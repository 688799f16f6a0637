import { type Command, Option } from 'commander';
import type { Sweep, SweepTrial, SweepVerb } from '../../client/client.js';
import { decimal, duration, integer } from '../progress-display.js';
import { clientOf, print, type ServerOptions, withServer } from '../server-command.js';
import { paint, table } from '../terminal.js';
import { readText } from './open-file.js';
import { parseJson } from './parse-json.js';
import { parseNumber } from './parse-number.js';

interface StartOptions extends ServerOptions {
  readonly dryRun?: boolean;
}
interface TrialsOptions extends ServerOptions {
  readonly sort: 'trial' | 'value';
  readonly csv?: boolean;
}
interface ExtendOptions extends ServerOptions {
  readonly experiments?: number;
  readonly maxDuration?: number;
}

const VERBS: Readonly<Record<SweepVerb, string>> = {
  pause: 'Pause a sweep and all its experiments',
  resume: 'Continue a paused sweep',
  cancel: 'Cancel a sweep and those of its experiments that have not ended',
};

/** sweep start, list, show, trials, extend, and the verbs: search settings for the best ones. */
export function addSweepCommands(program: Command): void {
  const sweep = program.command('sweep').description('Search settings for the best ones');
  withServer(sweep.command('start <file>'))
    .description('Start the sweep that a JSON file describes, as in POST /sweeps; - reads standard input')
    .option('--dry-run', 'show what it would try and how long it would take; train nothing')
    .action(start);
  withServer(sweep.command('list')).description('List sweeps, newest first').action(list);
  withServer(sweep.command('show <sweep>'))
    .description('Show one sweep: state, best trial, importance of each setting')
    .action(show);
  withServer(sweep.command('trials <sweep>'))
    .description('List the trials of a sweep')
    .addOption(
      new Option('--sort <order>', 'trial: in the order in which they were tried; value: the best first')
        .choices(['trial', 'value'])
        .default('value'),
    )
    .option('--csv', 'print CSV')
    .action(trials);
  withServer(sweep.command('extend <sweep>'))
    .description('Raise the limits of a sweep; a finished one continues')
    .option('--experiments <number>', 'experiments beyond the present limit', parseNumber)
    .option('--max-duration <seconds>', 'seconds beyond the present limit', parseNumber)
    .action(async (id: string, { experiments, maxDuration, ...options }: ExtendOptions) => {
      const more = {
        ...(experiments !== undefined && { experiments }),
        ...(maxDuration !== undefined && { maxDuration }),
      };
      const extended = await clientOf(options).extendSweep(id, more);
      print(options, extended, () => describe(extended));
    });
  for (const [verb, description] of Object.entries(VERBS) as [SweepVerb, string][])
    withServer(sweep.command(`${verb} <sweep>`))
      .description(description)
      .action(async (id: string, options: ServerOptions) => {
        const changed = await clientOf(options).controlSweep(id, verb);
        print(options, changed, () => `${changed.id} is ${changed.state}`);
      });
}

async function start(file: string, { dryRun, ...options }: StartOptions): Promise<void> {
  const body = parseJson(readText(file), file);
  const client = clientOf(options);
  if (dryRun) {
    const plan = await client.planSweep(body as never);
    print(options, plan, () => {
      const time = plan.estimate ? duration(plan.estimate.seconds) : `unknown: ${plan.reason}`;
      return `${plan.trials} trials, about ${integer(plan.epochs)} epochs, time ${time}`;
    });
    return;
  }
  const sweep = await client.createSweep(body as never);
  print(options, sweep, () => `${sweep.id} ${sweep.state}: ${sweep.name}`);
}

async function list(options: ServerOptions): Promise<void> {
  const page = await clientOf(options).listSweeps();
  print(options, page, () => {
    if (page.items.length === 0) return 'No sweeps. Start one with gatelm sweep start.';
    const rows = page.items.map(({ id, name, state, trials: { proposed, limit }, best }) => [
      id,
      name,
      state,
      `${proposed} of ${limit}`,
      decimal(best?.value ?? null),
    ]);
    return table([['id', 'name', 'state', 'trials', 'best'], ...rows]);
  });
}

async function show(id: string, options: ServerOptions): Promise<void> {
  const sweep = await clientOf(options).getSweep(id);
  print(options, sweep, () => describe(sweep));
}

async function trials(id: string, { sort, csv, ...options }: TrialsOptions): Promise<void> {
  const client = clientOf(options);
  if (csv) {
    process.stdout.write(await client.getSweepTrialsCsv(id, { sort }));
    return;
  }
  const list = await client.getSweepTrials(id, { sort });
  print(options, list, () => {
    const paths = [...new Set(list.items.flatMap(({ point }) => Object.keys(point)))];
    const row = ({ trial, state, epochs, value, point, experimentIds }: SweepTrial) => [
      String(trial),
      state,
      String(epochs),
      decimal(value),
      ...paths.map((path) => (path in point ? shown(point[path]) : '–')),
      experimentIds.join(' '),
    ];
    return table([['trial', 'state', 'epochs', 'value', ...paths, 'experiments'], ...list.items.map(row)]);
  });
}

function describe({ id, name, state, reason, trials, epochs, best, importance, objective }: Sweep): string {
  const settings = best && Object.entries(best.point).map(([path, value]) => `${path} ${shown(value)}`);
  const lines: [string, string][] = [
    ['id', id],
    ['name', name],
    ['state', reason ? `${state}: ${reason}` : state],
    [
      'trials',
      `${trials.proposed} of ${trials.limit}: ${trials.finished} finished, ${trials.stopped + trials.waiting} stopped, ${trials.running} running, ${trials.failed} failed`,
    ],
    ['epochs', `${integer(epochs.trained)} of ${integer(epochs.withoutStopping)} without stopping`],
    [
      'best',
      best
        ? `${objective} ${best.value?.toPrecision(5)}, trial ${best.trial}, ${best.experimentIds.join(' ')}`
        : '–',
    ],
    ...(settings ?? []).map((setting): [string, string] => ['', setting]),
    ...Object.entries(importance ?? {})
      .toSorted(([, a], [, b]) => b - a)
      .map(([path, part], index): [string, string] => [
        index === 0 ? 'importance' : '',
        `${path} ${(100 * part).toFixed(0)} %`,
      ]),
  ];
  return lines.map(([label, value]) => `${paint('dim', label.padEnd(18))}${value}`).join('\n');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
