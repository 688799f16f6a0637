import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Trainer } from '../compute/queue/trainer.js';
import { parseEnvironment } from '../contracts/environment.js';

interface Options {
  readonly queue: string;
  readonly server: string;
  readonly key?: string;
  readonly slots: string;
  readonly dataDir: string;
}

/** Adds `gatelm trainer`: trains for a server on another machine. */
export function addTrainer(program: Command): void {
  program
    .command('trainer')
    .description('Train for a server on another machine, whose trainings come through Redis')
    .requiredOption(
      '--queue <address>',
      'of Redis, as the server has it in GATELM_QUEUE: redis://… or rediss://…',
    )
    .requiredOption('--server <address>', 'of the server: http://… or https://…')
    .option('--key <key>', 'API key of the scope trainer; or GATELM_TRAINER_KEY')
    .option('--slots <count>', 'trainings at once', '1')
    .option('--data-dir <folder>', 'corpora and checkpoints on their way', './trainer-data')
    .action((options: Options) => runTrainer(options));
}

/** Trains until SIGTERM or SIGINT; then what trains writes a checkpoint and is handed back. */
async function runTrainer({ queue, server, key, slots, dataDir }: Options): Promise<void> {
  const { backend, kernels, threads, corporaMirror } = parseEnvironment(process.env);
  const trainer = new Trainer({
    queue,
    server,
    key: key ?? process.env.GATELM_TRAINER_KEY ?? null,
    slots: Number(slots),
    dataDirectory: resolve(dataDir),
    mirror: corporaMirror,
    compute: { backend, kernels, threads },
    log: (message) => console.log(message),
  });
  await trainer.start();
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(1); // the host ends with this process
    isStopping = true;
    console.log('drains: trainings write a checkpoint and go on elsewhere');
    void trainer.drain().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
