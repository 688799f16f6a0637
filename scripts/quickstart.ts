/**
 * `npm run quickstart`, after set-up: starts the server, trains the starter model on the embedded corpus with its progress in
 * the terminal, lets it write, and says how to go on. The data stay in GATELM_DATA_DIR (./data).
 *
 *   npm run quickstart -- --keep                              the server runs on until Ctrl-C
 *   npm run quickstart -- --config '{"preset":"rnnlm"}'       another experiment
 */
import { parseArgs } from 'node:util';
import { EventData } from '../src/contracts/events.js';
import { Experiment } from '../src/contracts/experiment.js';
import { GenerationResult } from '../src/contracts/generation.js';
import { followExperiment } from './quickstart/follow-experiment.js';
import { decimal, duration, ProgressDisplay } from './quickstart/progress-display.js';
import { ServerProcess } from './quickstart/server-process.js';

const EXPERIMENT = '{"preset":"starter","corpus":"handbook","name":"quickstart"}';
const PROMPT = { prompt: 'The', maxTokens: '60', temperature: '0.7', topK: '40', seed: '1' };

const { keep, config } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, config: { type: 'string', default: EXPERIMENT } },
}).values;
const [apiKey] = process.env.GATELM_API_KEYS?.split(',') ?? [];
const headers: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey.trim()}` } : {};

const STOPPED = 'stopped; npm start goes on with the training';
let isStopping = false;

process.stdout.on('error', () => process.exit(1)); // nobody reads any more; the server ends with this process
process.exitCode = await main();

async function main(): Promise<number> {
  let server: ServerProcess | null = null;
  try {
    server = await ServerProcess.start(process.env);
    stopWithThisProcess(server);
    console.log(server.greeting);
    const experiment = await train(server.address);
    await write(server.address, experiment);
    sayHowToGoOn(server.address, experiment);
    if (keep) await server.ended;
    return 0;
  } catch (error) {
    console.error(`\nquickstart: ${isStopping ? STOPPED : (error as Error).message}`);
    return 1;
  } finally {
    await server?.stop();
  }
}

/** Trains to the end, showing how. */
async function train(address: string): Promise<Experiment> {
  const experiment = Experiment.parse(await request(address, '/experiments', config));
  console.log(`\nPOST /experiments ${config} → ${experiment.id}`);
  const display = new ProgressDisplay(process.stdout, experiment.config.training);
  for await (const event of followExperiment(address, experiment.id, headers)) {
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

function sayHowToGoOn(address: string, { id }: Experiment): void {
  const state = keep ? 'The server runs until Ctrl-C.' : 'The server stops now; npm start starts it again.';
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
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { method: 'POST', body }),
  });
  const answer = (await response.json()) as { detail?: string };
  if (!response.ok) throw new Error(`${path}: ${answer.detail ?? response.statusText}`);
  return answer;
}

function stopWithThisProcess(server: ServerProcess): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      void server.stop();
    });
  }
}
