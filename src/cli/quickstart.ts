import { type Experiment, GatelmClient } from '../client/client.js';
import { EventData } from '../contracts/events.js';
import { decimal, duration, ProgressDisplay } from './progress-display.js';
import { ServerProcess } from './server-process.js';

export interface QuickstartOptions {
  /** The server runs on until Ctrl-C. */
  readonly keep: boolean;
  /** Body of POST /experiments, JSON. */
  readonly config: string;
}

export const QUICKSTART_EXPERIMENT = '{"preset":"starter","corpus":"handbook","name":"quickstart"}';
const PROMPT = { prompt: 'The', maxTokens: 60, temperature: 0.7, topK: 40, seed: 1 };
const STOPPED = 'stopped; npm start goes on with the training';

/**
 * Starts a server, trains a model on the embedded corpus with its progress in the terminal, lets it write, and says how to
 * go on. The data stay in GATELM_DATA_DIR (./data).
 * @returns the exit code
 */
export async function quickstart({ keep, config }: QuickstartOptions): Promise<number> {
  let server: ServerProcess | null = null;
  let isStopping = false;
  process.stdout.on('error', () => process.exit(1)); // nobody reads any more; the server ends with this process
  try {
    const body = JSON.parse(config) as Parameters<GatelmClient['createExperiment']>[0];
    server = await ServerProcess.start(process.env);
    stopWithThisProcess(server, () => {
      isStopping = true;
    });
    console.log(server.greeting);
    const [apiKey] = process.env.GATELM_API_KEYS?.split(',') ?? [];
    const client = new GatelmClient({ url: server.address, apiKey: apiKey?.trim() || undefined });
    const experiment = await client.createExperiment(body).catch((error: Error) => {
      throw new Error(`/experiments: ${error.message}`, { cause: error });
    });
    console.log(`\nPOST /experiments ${config} → ${experiment.id}`);
    await follow(client, experiment);
    await write(client, experiment);
    sayHowToGoOn(server.address, experiment, keep);
    if (keep) await server.ended;
    return 0;
  } catch (error) {
    console.error(`\nquickstart: ${isStopping ? STOPPED : (error as Error).message}`);
    return 1;
  } finally {
    await server?.stop();
  }
}

/** Shows a training to its end. @throws Error when it does not succeed */
async function follow(client: GatelmClient, { id, config }: Experiment): Promise<void> {
  const display = new ProgressDisplay(process.stdout, config.training);
  for await (const event of client.follow(id)) {
    display.show(event);
    if (event.type === 'succeeded') {
      const { testPerplexity, seconds } = EventData.succeeded.parse(event.data);
      display.end();
      console.log(`done in ${duration(seconds)}; test perplexity ${decimal(testPerplexity)}`);
      return;
    }
    if (event.type === 'failed')
      throw new Error(`The training failed: ${EventData.failed.parse(event.data).error.message}`);
    if (event.type === 'interrupted')
      throw new Error(`The training was interrupted: ${EventData.interrupted.parse(event.data).reason}`);
  }
  throw new Error('The training ended without a result');
}

async function write(client: GatelmClient, { id }: Experiment): Promise<void> {
  const { prompt, text } = await client.generate({ experiment: id, ...PROMPT });
  console.log(
    `\nGET ${client.connection.address('/generate', { experiment: id, ...PROMPT }).slice(client.connection.url.length)}\n\n${prompt}${text}\n`,
  );
}

function sayHowToGoOn(address: string, { id }: Experiment, keep: boolean): void {
  const state = keep ? 'The server runs until Ctrl-C.' : 'The server stops now; npm start starts it again.';
  const base = keep ? address : 'http://127.0.0.1:8080';
  console.log(`${state} The model stays in ${process.env.GATELM_DATA_DIR || './data'}. To go on:

  curl '${base}/generate?experiment=${id}&prompt=The&maxTokens=60&temperature=0.7'
  curl ${base}/experiments/${id}
  curl '${base}/experiments/${id}/metrics?keys=validPerplexity'
  curl -X POST ${base}/experiments -H 'content-type: application/json' -d '{"preset":"rnnlm","corpus":"ptb"}'

More in examples/curl and README.md.`);
}

function stopWithThisProcess(server: ServerProcess, onStop: () => void): void {
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      onStop();
      void server.stop();
    });
  }
}
