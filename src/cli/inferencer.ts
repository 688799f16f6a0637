import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { parseEnvironment } from '../contracts/environment.js';
import { parseStrictly } from '../contracts/validation.js';
import { drainOnSignal, labelOption } from './worker-command.js';

interface Options {
  readonly server: string;
  readonly key?: string;
  readonly slots?: string;
  readonly label: readonly string[];
  readonly dataDir: string;
  readonly cacheGib: string;
}

const GIB = 1024 ** 3;
const Slots = z.coerce.number().int().min(1).max(64);
const CacheGib = z.coerce.number().min(0).max(1_000_000);

/** Adds `gatelm inferencer`, which generates and scores for a server on another machine. */
export function addInferencer(program: Command): void {
  program
    .command('inferencer')
    .description('Generate and score for a server on another machine, received through a WebSocket')
    .requiredOption('--server <address>', 'URL of the server: http://… or https://…')
    .option('--key <key>', 'API key with the scope inferencer; or GATELM_INFERENCER_KEY')
    .option(
      '--slots <count>',
      'number of threads, each with its own models; default: GATELM_INFERENCE_THREADS',
    )
    .addOption(labelOption('label of this machine'))
    .option(
      '--data-dir <folder>',
      'folder for models of the server; one for each inferencer',
      './inferencer-data',
    )
    .option(
      '--cache-gib <size>',
      'size of that folder above which the least recently used are deleted, in GiB',
      '10',
    )
    .action((options: Options) => runInferencer(options));
}

/** Runs tasks until SIGTERM or SIGINT; then it takes no more, and the open ones have GATELM_SHUTDOWN_GRACE_MS to end. */
async function runInferencer({ server, key, slots, label, dataDir, cacheGib }: Options): Promise<void> {
  const environment = parseEnvironment(process.env);
  const { backend, kernels, threads, inferenceThreads, shutdownGraceMs } = environment;
  const { maxTextStreams, promptCacheBytes, warmModelBytes } = environment;
  const { Inferencer } = await import('../compute/inferencers/inferencer.js');
  const inferencer = new Inferencer({
    server,
    key: key ?? process.env.GATELM_INFERENCER_KEY ?? null,
    slots: slots === undefined ? inferenceThreads : parseStrictly(Slots, slots, '--slots'),
    labels: label,
    dataDirectory: resolve(dataDir),
    cacheBytes: parseStrictly(CacheGib, cacheGib, '--cache-gib') * GIB,
    compute: { backend, kernels, threads },
    limits: { streams: maxTextStreams, promptCacheBytes, warmModelBytes },
    log: (message) => console.log(message),
  });
  drainOnSignal('takes no more tasks', () => inferencer.drain(shutdownGraceMs));
  await inferencer.run();
  process.exit(0);
}
