import type { Command } from 'commander';
import { type Experiment, GatelmClient } from '../client/client.js';
import { EventData } from '../contracts/events.js';
import { decimal, duration, ProgressDisplay } from './progress-display.js';
import { ServerProcess } from './server-process.js';
import { isCheckout, startCommand } from './set-up.js';

const EXPERIMENT = '{"preset":"starter","corpus":"handbook","name":"quickstart"}';
const PROMPT = { prompt: 'The', maxTokens: 60, temperature: 0.7, topK: 40, seed: 1 };

interface QuickstartOptions {
  readonly keep: boolean;
  readonly config: string;
}

/** Adds `gatelm quickstart`. */
export function addQuickstart(program: Command): void {
  program
    .command('quickstart')
    .description(
      'Train a small model with its progress in the terminal, generate text, and show the next steps',
    )
    .option('--keep', 'leave the server running until Ctrl-C', false)
    .option('--config <json>', 'another experiment, as for POST /experiments', EXPERIMENT)
    .action((options) => quickstart(options));
}

/**
 * Starts the server, trains the starter model on the embedded corpus with its progress in the terminal, generates text,
 * and prints the next steps. The data stay in GATELM_DATA_DIR (./data).
 */
async function quickstart(options: QuickstartOptions): Promise<void> {
  process.stdout.on('error', () => process.exit(1)); // the reader is gone; the server exits with this process
  let server: ServerProcess | null = null;
  let isStopping = false;
  const gone = new AbortController(); // the server: nobody reconnects to it
  try {
    server = await ServerProcess.start(process.env);
    void server.ended.then(() => gone.abort());
    onSignal(() => {
      if (isStopping) process.exit(1);
      isStopping = true;
      void server?.stop();
    });
    console.log(server.greeting);
    const client = new GatelmClient({ url: server.address, apiKey: firstKey() });
    const experiment = await train(client, options.config, gone.signal);
    await write(client, experiment);
    printNextSteps(server.address, experiment, options.keep);
    if (options.keep) await server.ended;
  } catch (error) {
    const reason = isStopping
      ? `stopped; ${startCommand()} continues the training`
      : (error as Error).message;
    console.error(`\nquickstart: ${reason}`);
    process.exitCode = 1;
  } finally {
    await server?.stop();
  }
}

/** Trains to the end and shows the progress. */
async function train(client: GatelmClient, config: string, signal: AbortSignal): Promise<Experiment> {
  const body = JSON.parse(config) as Parameters<GatelmClient['createExperiment']>[0];
  const experiment = await client.createExperiment(body).catch((error: Error) => {
    throw new Error(`/experiments: ${error.message}`, { cause: error });
  });
  console.log(`\nPOST /experiments ${config} → ${experiment.id}`);
  const display = new ProgressDisplay(process.stdout, experiment.config.training);
  for await (const event of client.follow(experiment.id, { signal })) {
    display.show(event);
    if (event.type === 'succeeded') {
      const { testPerplexity, seconds } = EventData.succeeded.parse(event.data);
      display.end();
      console.log(`done in ${duration(seconds)}; test perplexity ${decimal(testPerplexity)}`);
      return experiment;
    }
    if (event.type === 'failed')
      throw new Error(`The training failed: ${EventData.failed.parse(event.data).error.message}`);
    if (event.type === 'interrupted') {
      throw new Error(`The training was interrupted: ${EventData.interrupted.parse(event.data).reason}`);
    }
  }
  throw new Error('The training ended without a result');
}

async function write(client: GatelmClient, { id }: Experiment): Promise<void> {
  const request = { experiment: id, ...PROMPT };
  const { prompt, text } = await client.generate(request);
  const query = new URLSearchParams(
    Object.entries(request).map(([key, value]): [string, string] => [key, String(value)]),
  );
  console.log(`\nGET /generate?${query}\n\n${prompt}${text}\n`);
}

function printNextSteps(address: string, { id }: Experiment, keep: boolean): void {
  const base = keep ? address : nextAddress();
  const state = keep
    ? `The server runs until Ctrl-C; its dashboard is at ${base}/.`
    : `The server stops now; ${startCommand()} starts it again, with a dashboard at ${base}/.`;
  const [gatelm, more] = isCheckout()
    ? ['node dist/src/cli/main.js', 'README.md and docs/tour.md']
    : ['npx gatelm', `npx gatelm --help and ${base}/docs`];
  console.log(`${state} The model stays in ${process.env.GATELM_DATA_DIR || './data'}. Next steps:

  curl '${base}/generate?experiment=${id}&prompt=The&maxTokens=60&temperature=0.7'
  curl ${base}/experiments/${id}
  ${gatelm} train --file notes.txt --budget 2m      # a text of your own

More: ${more}.`);
}

/** Where the next start listens. */
function nextAddress(): string {
  const port = Number(process.env.GATELM_PORT) || 8080; // 0: any free port, unknown yet
  return `http://127.0.0.1:${port}`;
}

/** An API key of the server that this command starts. */
function firstKey(): string | undefined {
  return process.env.GATELM_API_KEYS?.split(',')[0]?.trim() || undefined;
}

function onSignal(listener: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, listener);
}
