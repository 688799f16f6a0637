/**
 * Entry point of the training host: a child process of the server that trains experiments in its threads.
 * Exchanges TrainingHostRequest and TrainingHostMessage with {@link LocalTrainingExecutor}.
 */
import { MessageChannel as ThreadChannel } from 'node:worker_threads';
import {
  type TrainingHostMessage,
  TrainingHostRequest,
  type TrainingJob,
  TrainingOutcome,
} from '../contracts/jobs.js';
import { serializeError } from '../errors.js';
import { onRequest, prepareHostProcess, readHostSettings, sendToServer } from './host-runtime.js';
import { drain } from './thread-port.js';
import { createStopFlag, raiseStopFlag, type TrainingTask } from './training-task.js';
import { WorkerPool } from './worker-pool.js';

const settings = readHostSettings();
prepareHostProcess(settings);
const pool = new WorkerPool(settings);
const stopFlags = new Map<string, SharedArrayBuffer>();
const send: (message: TrainingHostMessage) => void = sendToServer;

pool.probeBackend().then(
  (report) => send({ type: 'ready', report }),
  (error) => send({ type: 'unusable', error: serializeError(error) }),
);

onRequest(TrainingHostRequest, (request) => {
  switch (request.type) {
    case 'train':
      void train(request.job);
      break;
    case 'stop': {
      const stop = stopFlags.get(request.experimentId);
      if (stop) raiseStopFlag(stop, request.mode);
      break;
    }
    case 'shutdown':
      process.exit(0);
      break;
    default:
      request satisfies never;
  }
});

async function train(job: TrainingJob): Promise<void> {
  const { experimentId } = job;
  const stop = createStopFlag();
  stopFlags.set(experimentId, stop);
  const { port1: events, port2: workerPort } = new ThreadChannel();
  const forward = (event: unknown) => send({ type: 'event', experimentId, event });
  events.on('message', forward);
  const outcome = await runWorker({ job, events: workerPort, stop });
  drain(events, forward);
  events.close();
  stopFlags.delete(experimentId);
  send({ type: 'finished', experimentId, outcome });
  if (pool.threadLost && stopFlags.size === 0) process.exit(1);
}

async function runWorker(task: TrainingTask): Promise<TrainingOutcome> {
  try {
    return TrainingOutcome.parse(await pool.run(task, [task.events]));
  } catch (error) {
    return { type: 'failed', error: serializeError(error) };
  }
}
