/**
 * Entry point of the inference host: a child process of the server that keeps trained models warm in its threads.
 * Talks with {@link LocalInferenceExecutor} by InferenceHostRequest and InferenceHostMessage.
 */
import { InferenceHostMessage, InferenceHostRequest, type InferenceTask } from '../contracts/jobs.js';
import { serializeError } from '../errors.js';
import { onRequest, prepareHostProcess, readHostSettings, sendToServer } from './host-runtime.js';
import { WorkerPool } from './worker-pool.js';

const settings = readHostSettings();
prepareHostProcess(settings);
const pool = new WorkerPool(settings);
let openTasks = 0;
const send: (message: InferenceHostMessage) => void = sendToServer;

pool.probeBackend().then(
  (report) => send({ type: 'ready', report }),
  (error) => send({ type: 'unusable', error: serializeError(error) }),
);

onRequest(InferenceHostRequest, (request) => {
  switch (request.type) {
    case 'run':
      void run(request.taskId, request.task);
      break;
    case 'shutdown':
      process.exit(0);
      break;
    default:
      request satisfies never;
  }
});

async function run(taskId: number, task: InferenceTask): Promise<void> {
  openTasks += 1;
  try {
    const result = await pool.run(task);
    send(InferenceHostMessage.parse({ type: 'done', taskId, result }));
  } catch (error) {
    send({ type: 'failed', taskId, error: serializeError(error) });
  }
  openTasks -= 1;
  if (pool.threadLost && openTasks === 0) process.exit(1);
}
