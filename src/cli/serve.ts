import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { BalancedInferenceExecutor } from '../compute/inferencers/balanced-inference-executor.js';
import { LocalInferenceExecutor } from '../compute/local-inference-executor.js';
import { LocalTrainingExecutor } from '../compute/local-training-executor.js';
import { Exchange } from '../compute/queue/exchange.js';
import type { QueueTrainingExecutor } from '../compute/queue/queue-training-executor.js';
import { type Environment, parseEnvironment } from '../contracts/environment.js';
import { appError } from '../errors.js';
import type { Logger } from '../experiments/logger.js';
import { createServices, type Services } from '../experiments/services.js';
import { FolderArtifactStore } from '../files/folder-artifact-store.js';
import { pathOf, TRANSFERS } from '../files/layout.js';
import { openExchange } from '../files/open-exchange.js';
import { packageVersion } from '../package-version.js';
import { buildApp } from '../server/app.js';
import type { HttpApp } from '../server/http-app.js';
import { createLogger } from '../server/logger.js';
import { describeBackend } from './describe-backend.js';

export interface ServeOptions {
  readonly host?: string;
  readonly port?: string;
  readonly dataDir?: string;
}

/** Time that pending requests have to finish when the server stops. */
const DRAIN_MS = 3_000;
/** Maximum wait for TensorFlow before the start line is printed without it. */
const PROBE_MS = 20_000;

/**
 * Starts the server and returns once it listens. SIGTERM or SIGINT stops it: trainings write a checkpoint and resume
 * from it at the next start. A second signal terminates it immediately.
 * @throws validation-failed, unsafe-bind, database-unusable, database-newer, backend-unavailable, bad-request when the
 * address cannot be bound
 */
export async function serve(options: ServeOptions): Promise<void> {
  const environment = parseEnvironment(withOptions(process.env, options));
  if (environment.exchange !== null && environment.queue === null)
    throw appError('bad-request', { reason: 'GATELM_EXCHANGE is for trainers; it needs GATELM_QUEUE' });
  const server = await startServer(environment);
  stopOnSignals(server);
  try {
    await listen(server.app, environment);
    await announce(server, environment);
  } catch (error) {
    await stop(server);
    throw error;
  }
}

interface Server {
  readonly app: HttpApp;
  readonly services: Services;
  readonly training: LocalTrainingExecutor | QueueTrainingExecutor;
}

async function startServer(environment: Environment): Promise<Server> {
  const { backend, kernels, threads } = environment;
  const compute = { backend, kernels, threads };
  const files = { dataDirectory: resolve(environment.dataDir), mirror: environment.corporaMirror };
  const local = new LocalInferenceExecutor({
    threads: environment.inferenceThreads,
    compute,
    files,
    limits: {
      openTasks: environment.maxInferences,
      streams: environment.maxTextStreams,
      promptCacheBytes: environment.promptCacheBytes,
      warmModelBytes: environment.warmModelBytes,
    },
  });
  // stdout is for people; the log goes to stderr.
  const logger = createLogger(environment, process.stderr);
  const inference = new BalancedInferenceExecutor({
    local,
    localSlots: environment.inferenceThreads,
    openTasks: environment.maxInferences,
    silenceMs: environment.inferencerSilenceMs,
    onNotice: (notice) => logger.info({}, notice),
  });
  const training =
    environment.queue === null
      ? new LocalTrainingExecutor({
          slots: environment.trainingSlots,
          compute,
          files,
          limits: { closeMs: 0, runSilenceMs: environment.watchdogMs }, // the queue has waited for GATELM_SHUTDOWN_GRACE_MS by then
        })
      : await queueTraining(environment.queue, environment, logger);
  const services = createServices({
    environment,
    trainingExecutor: training,
    inferenceExecutor: inference,
    logger,
  });
  try {
    return { app: await buildApp(services, { logger }), services, training };
  } catch (error) {
    await services.close();
    throw error;
  }
}

/** bullmq takes long to load: only where there is a queue. */
async function queueTraining(
  address: string,
  { exchange, dataDir }: Environment,
  logger: Logger,
): Promise<QueueTrainingExecutor> {
  const { QueueTrainingExecutor } = await import('../compute/queue/queue-training-executor.js');
  return new QueueTrainingExecutor({
    address,
    onError: (error) => logger.error({ err: error }, 'the training queue failed'),
    ...(exchange !== null && { exchange: await createExchange(exchange, dataDir, logger) }),
  });
}

async function createExchange(address: string, dataDir: string, logger: Logger): Promise<Exchange> {
  const temporaryFolder = pathOf(dataDir, TRANSFERS);
  return new Exchange({
    store: await openExchange({ address, temporaryFolder, env: process.env }),
    local: new FolderArtifactStore(dataDir),
    onError: (error) => logger.error({ err: error }, 'the exchange failed'),
  });
}

async function listen(app: HttpApp, { host, port }: Environment): Promise<void> {
  try {
    await app.listen({ host, port, listenTextResolver: (address) => `listens on ${address}` });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'EADDRINUSE'
        ? `Port ${port} of ${host} is in use; stop the other process, or choose another port: GATELM_PORT=${port + 1} (0 = any free port)`
        : `Cannot listen on ${host}, port ${port}: ${message}`;
    throw appError('bad-request', { reason }, error);
  }
}

/** Prints one line with the address and the backend; further lines only if it does not run at full speed. */
async function announce({ app, training }: Server, { host, dataDir }: Environment): Promise<void> {
  const { port } = app.server.address() as AddressInfo;
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const isHere = training instanceof LocalTrainingExecutor;
  const backend = isHere ? await withinTime(training.warmUp(), PROBE_MS) : null;
  console.log(
    `gatelm ${packageVersion()} listens on ${address} · data in ${resolve(dataDir)} · ${
      backend
        ? describeBackend(backend)
        : isHere
          ? 'TensorFlow is still being loaded'
          : 'trains on other machines'
    }`,
  );
  for (const note of backend?.notes ?? []) console.log(`  ${note}`);
}

function stopOnSignals(server: Server): void {
  let stopping = false;
  const onAsk = (why: string) => {
    if (stopping) process.exit(1); // the hosts exit with this process
    stopping = true;
    console.log(`${why}: trainings write a checkpoint and resume from it at the next start`);
    void stop(server).then(
      () => process.exit(0),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onAsk);
  process.on('SIGINT', onAsk);
  // Started by a program with an IPC channel, such as the quickstart: the server stops when that program exits.
  process.once('disconnect', () => onAsk('The parent process has exited'));
}

async function stop({ app, services }: Server): Promise<void> {
  await withinTime(app.close(), DRAIN_MS);
  await services.close();
}

/** The value of the promise, or null if it takes longer than the limit. */
async function withinTime<Value>(promise: PromiseLike<Value>, limitMs: number): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<null>((resolveLimit) => {
    timer = setTimeout(() => resolveLimit(null), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function withOptions(env: NodeJS.ProcessEnv, { host, port, dataDir }: ServeOptions): NodeJS.ProcessEnv {
  return {
    ...env,
    ...(host !== undefined && { GATELM_HOST: host }),
    ...(port !== undefined && { GATELM_PORT: port }),
    ...(dataDir !== undefined && { GATELM_DATA_DIR: dataDir }),
  };
}
