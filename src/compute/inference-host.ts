/**
 * Entry point of the inference host: a child process of the server that keeps trained models warm in its threads.
 * Exchanges InferenceHostRequest and InferenceHostMessage with {@link LocalInferenceExecutor}.
 */
import { type MessagePort, MessageChannel as ThreadChannel } from 'node:worker_threads';
import { type InferenceHostMessage, InferenceHostRequest } from '../contracts/jobs.js';
import { serializeError } from '../errors.js';
import { onRequest, prepareHostProcess, readHostSettings, sendToServer } from './host-runtime.js';
import { createCancelFlag, type InferenceThreadTask, raiseCancelFlag } from './inference-thread-task.js';
import { PartBatch } from './part-batch.js';
import { drain } from './thread-port.js';
import { WorkerPool } from './worker-pool.js';

type RunRequest = Extract<InferenceHostRequest, { type: 'run' }>;

const settings = readHostSettings();
prepareHostProcess(settings);
const pool = new WorkerPool(settings);
interface OpenTask {
  readonly cancelled: SharedArrayBuffer;
  /** The port to the worker. */
  readonly parts: MessagePort;
}
const openTasks = new Map<number, OpenTask>();
const send: (message: InferenceHostMessage) => void = sendToServer;
const batch = new PartBatch(send);

/** Settles when the backend was reported to the server. */
const introduced = pool.probeBackend().then(
  (report) => send({ type: 'ready', report }),
  (error) => send({ type: 'unusable', error: serializeError(error) }),
);

onRequest(InferenceHostRequest, (request) => {
  switch (request.type) {
    case 'run':
      void run(request);
      break;
    case 'input':
      openTasks.get(request.taskId)?.parts.postMessage(request.input);
      break;
    case 'cancel': {
      const task = openTasks.get(request.taskId);
      if (!task) break;
      raiseCancelFlag(task.cancelled);
      task.parts.postMessage(null); // it may wait for input
      break;
    }
    case 'shutdown':
      process.exit(0);
      break;
    default:
      request satisfies never;
  }
});

async function run({ taskId, task, streams }: RunRequest): Promise<void> {
  const cancelled = createCancelFlag();
  const { port1: parts, port2: workerPort } = new ThreadChannel();
  openTasks.set(taskId, { cancelled, parts });
  const forward = (some: readonly unknown[]) => {
    for (const part of some) batch.add(taskId, part);
  };
  parts.on('message', forward);
  try {
    const threadTask: InferenceThreadTask = { task, parts: streams ? workerPort : null, cancelled };
    const result = await pool.run(threadTask, streams ? [workerPort] : []);
    drain(parts, forward);
    await introduced; // the backend is reported before the first result
    batch.flush();
    send({ type: 'done', taskId, result });
  } catch (error) {
    send({ type: 'failed', taskId, error: serializeError(error) });
  }
  parts.close();
  openTasks.delete(taskId);
  if (pool.threadLost && openTasks.size === 0) process.exit(1);
}
