import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseEnvironment } from '../contracts/environment.js';
import { appError } from '../errors.js';
import { pathOf, TRANSFERS } from '../files/layout.js';
import { openExchange } from '../files/open-exchange.js';
import { drainOnSignal, labelOption } from './worker-command.js';

interface Options {
  readonly queue: string;
  readonly server?: string;
  readonly exchange?: string;
  readonly key?: string;
  readonly slots: string;
  readonly label: readonly string[];
  readonly dataDir: string;
}

/** Adds `gatelm trainer`, which trains for a server on another machine. */
export function addTrainer(program: Command): void {
  program
    .command('trainer')
    .description('Run trainings of a server on another machine, received through Redis')
    .requiredOption(
      '--queue <address>',
      'URL of Redis, the same as GATELM_QUEUE of the server: redis://… or rediss://…',
    )
    .option(
      '--server <address>',
      'URL of the server: http://… or https://…; not needed where the server has an exchange',
    )
    .option('--exchange <address>', 'the same as GATELM_EXCHANGE of the server; or GATELM_EXCHANGE')
    .option('--key <key>', 'API key with the scope trainer; or GATELM_TRAINER_KEY')
    .option('--slots <count>', 'number of parallel trainings', '1')
    .addOption(labelOption('label that an experiment may require'))
    .option('--data-dir <folder>', 'folder for corpora and checkpoints in transit', './trainer-data')
    .action((options: Options) => runTrainer(options));
}

/** Trains until SIGTERM or SIGINT; then running trainings write a checkpoint and return to the queue. */
async function runTrainer({ queue, server, exchange, key, slots, label, dataDir }: Options): Promise<void> {
  const env = { ...process.env, ...(exchange !== undefined && { GATELM_EXCHANGE: exchange }) };
  const { backend, kernels, threads, corporaMirror, exchange: address } = parseEnvironment(env);
  if (server === undefined && address === null)
    throw appError('bad-request', {
      reason: 'gatelm trainer needs --server, or the --exchange of the server',
    });
  const dataDirectory = resolve(dataDir);
  const { Trainer } = await import('../compute/queue/trainer.js'); // bullmq takes long to load
  const trainer = new Trainer({
    queue,
    server: server ?? null,
    exchange:
      address === null
        ? null
        : await openExchange({ address, temporaryFolder: pathOf(dataDirectory, TRANSFERS), env }),
    key: key ?? process.env.GATELM_TRAINER_KEY ?? null,
    slots: Number(slots),
    labels: label,
    dataDirectory,
    mirror: corporaMirror,
    compute: { backend, kernels, threads },
    log: (message) => console.log(message),
  });
  await trainer.start();
  drainOnSignal('trainings write a checkpoint and continue elsewhere', async () => {
    await trainer.drain();
    process.exit(0);
  });
}
