import type { Command } from 'commander';
import { EventData } from '../contracts/events.js';
import { Experiment } from '../contracts/experiment.js';
import { GenerationResult } from '../contracts/generation.js';
import { followExperiment } from './quickstart/follow-experiment.js';
import { decimal, duration, ProgressDisplay } from './quickstart/progress-display.js';
import { ServerProcess } from './quickstart/server-process.js';
import { startCommand } from './set-up.js';

const EXPERIMENT = '{"preset":"starter","corpus":"handbook","name":"quickstart"}';
const PROMPT = { prompt: 'The', maxTokens: '60', temperature: '0.7', topK: '40', seed: '1' };

interface QuickstartOptions {
  readonly keep: boolean;
  readonly config: string;
}

/** Adds `gatelm quickstart`. */
export function addQuickstart(program: Command): void {
  program
    .command('quickstart')
    .description('Train a small model with its progress in the terminal, let it write, and say how to go on')
    .option('--keep', 'leave the server running until Ctrl-C', false)
    .option('--config <json>', 'another experiment, as for POST /experiments', EXPERIMENT)
    .action((options) => quickstart(options));
}

/**
 * Starts the server, trains the starter model on the embedded corpus with its progress in the terminal, lets it write,
 * and says how to go on. The data stay in GATELM_DATA_DIR (./data).
 */
async function quickstart(options: QuickstartOptions): Promise<void> {
  process.stdout.on('error', () => process.exit(1)); // nobody reads any more; the server ends with this process
  let server: ServerProcess | null = null;
  let isStopping = false;
  try {
    server = await ServerProcess.start(process.env);
    onSignal(() => {
      if (isStopping) process.exit(1);
      isStopping = true;
      void server?.stop();
    });
    console.log(server.greeting);
    const experiment = await train(server.address, options.config);
    await write(server.address, experiment);
    sayHowToGoOn(server.address, experiment, options.keep);
    if (options.keep) await server.ended;
  } catch (error) {
    const reason = isStopping
      ? `stopped; ${startCommand()} goes on with the training`
      : (error as Error).message;
    console.error(`\nquickstart: ${reason}`);
    process.exitCode = 1;
  } finally {
    await server?.stop();
  }
}

/** Trains to the end, showing how. */
async function train(address: string, config: string): Promise<Experiment> {
  const experiment = Experiment.parse(await request(address, '/experiments', config));
  console.log(`\nPOST /experiments ${config} → ${experiment.id}`);
  const display = new ProgressDisplay(process.stdout, experiment.config.training);
  for await (const event of followExperiment(address, experiment.id, authorization())) {
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

async function write(address: string, { id }: Experiment): Promise<void> {
  const path = `/generate?${new URLSearchParams({ experiment: id, ...PROMPT })}`;
  const { prompt, text } = GenerationResult.parse(await request(address, path));
  console.log(`\nGET ${path}\n\n${prompt}${text}\n`);
}

function sayHowToGoOn(address: string, { id }: Experiment, keep: boolean): void {
  const state = keep
    ? 'The server runs until Ctrl-C.'
    : `The server stops now; ${startCommand()} starts it again.`;
  const base = keep ? address : 'http://127.0.0.1:8080';
  console.log(`${state} The model stays in ${process.env.GATELM_DATA_DIR || './data'}. To go on:

  curl '${base}/generate?experiment=${id}&prompt=The&maxTokens=60&temperature=0.7'
  curl ${base}/experiments/${id}
  curl '${base}/experiments/${id}/metrics?keys=validPerplexity'
  curl -X POST ${base}/experiments -H 'content-type: application/json' -d '{"preset":"rnnlm","corpus":"ptb"}'

More in examples/curl and README.md.`);
}

/** GET, or POST with a body of JSON. @throws Error with the server's own words */
async function request(address: string, path: string, body?: string): Promise<unknown> {
  const response = await fetch(address + path, {
    headers: { ...authorization(), ...(body && { 'content-type': 'application/json' }) },
    ...(body && { method: 'POST', body }),
  });
  const answer = (await response.json()) as { detail?: string };
  if (!response.ok) throw new Error(`${path}: ${answer.detail ?? response.statusText}`);
  return answer;
}

function authorization(): Record<string, string> {
  const [apiKey] = process.env.GATELM_API_KEYS?.split(',') ?? [];
  return apiKey ? { authorization: `Bearer ${apiKey.trim()}` } : {};
}

function onSignal(listener: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, listener);
}
