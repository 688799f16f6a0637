/**
 * Entry point of the inference host: a child process of the server that keeps trained models warm in its threads.
 * Talks with {@link LocalInferenceExecutor} by InferenceHostRequest and InferenceHostMessage.
 */
import { MessageChannel as ThreadChannel } from 'node:worker_threads';
import type { GenerationPart } from '../contracts/generation.js';
import { InferenceHostMessage, InferenceHostRequest } from '../contracts/jobs.js';
import { serializeError } from '../errors.js';
import { onRequest, prepareHostProcess, readHostSettings, sendToServer } from './host-runtime.js';
import { createCancelFlag, type InferenceThreadTask, raiseCancelFlag } from './inference-thread-task.js';
import { drain } from './thread-port.js';
import { WorkerPool } from './worker-pool.js';

type RunRequest = Extract<InferenceHostRequest, { type: 'run' }>;

const settings = readHostSettings();
prepareHostProcess(settings);
const pool = new WorkerPool(settings);
const cancelFlags = new Map<number, SharedArrayBuffer>();
const send: (message: InferenceHostMessage) => void = sendToServer;

pool.probeBackend().then(
  (report) => send({ type: 'ready', report }),
  (error) => send({ type: 'unusable', error: serializeError(error) }),
);

onRequest(InferenceHostRequest, (request) => {
  switch (request.type) {
    case 'run':
      void run(request);
      break;
    case 'cancel': {
      const flag = cancelFlags.get(request.taskId);
      if (flag) raiseCancelFlag(flag);
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
  cancelFlags.set(taskId, cancelled);
  const { port1: parts, port2: workerPort } = new ThreadChannel();
  const forward = (part: GenerationPart) => send({ type: 'part', taskId, part });
  parts.on('message', forward);
  try {
    const threadTask: InferenceThreadTask = { task, parts: streams ? workerPort : null, cancelled };
    const result = await pool.run(threadTask, streams ? [workerPort] : []);
    drain(parts, forward);
    send(InferenceHostMessage.parse({ type: 'done', taskId, result }));
  } catch (error) {
    send({ type: 'failed', taskId, error: serializeError(error) });
  }
  parts.close();
  cancelFlags.delete(taskId);
  if (pool.threadLost && cancelFlags.size === 0) process.exit(1);
}
