import type { ServerResponse } from 'node:http';
import { viewExperiment } from '../../experiments/experiment-view.js';
import { findExperiment } from '../../experiments/find-experiment.js';
import { followEvents } from '../../experiments/follow-events.js';
import type { Services } from '../../experiments/services.js';
import type { ProgressRequest } from './progress-socket.js';
import type { StreamRegistry } from './stream-registry.js';

/** Time after which a client that lost its connection comes back. */
const RETRY_MS = 2000;

/**
 * The events of an experiment as Server-Sent Events (HTML standard, section 9.2): the same messages as on the socket,
 * each with its number as `id`, so that a client that comes back goes on by itself.
 */
export function openEventSource(
  services: Services,
  registry: StreamRegistry,
  response: ServerResponse,
  { experimentId, since, log }: ProgressRequest,
): void {
  const { heartbeatMs, maxStreamBufferBytes } = services.environment;
  let stopFollowing = () => {};
  let isReplaying = true;

  const remove = registry.add({ shutDown: finish });
  const heartbeat = setInterval(() => response.write(': heartbeat\n\n'), heartbeatMs);
  response.on('close', tidyUp);
  response.on('error', tidyUp);
  try {
    const experiment = viewExperiment(services.store, findExperiment(services.store, experimentId));
    response.write(`retry: ${RETRY_MS}\n\n`);
    const snapshot = { type: 'snapshot', experiment, seq: experiment.seq };
    response.write(`event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`);
    stopFollowing = followEvents(services, experimentId, since, {
      onEvent({ event, json }) {
        response.write(`id: ${event.seq}\nevent: ${event.type}\ndata: ${json}\n\n`);
        if (isReplaying || response.writableLength <= maxStreamBufferBytes) return;
        tidyUp();
        response.destroy(); // it comes back with its Last-Event-ID
      },
      hasRoom: () =>
        response.writableNeedDrain
          ? new Promise((drained) => response.once('drain', drained).once('close', drained))
          : Promise.resolve(),
      onLive() {
        isReplaying = false;
      },
      onEnd: finish,
      onFailure: fail,
    });
  } catch (error) {
    fail(error);
  }

  function fail(error: unknown): void {
    log.error({ err: error, experimentId }, 'a progress stream failed');
    tidyUp();
    response.destroy();
  }

  function finish(): void {
    tidyUp();
    response.end();
  }

  function tidyUp(): void {
    clearInterval(heartbeat);
    stopFollowing();
    remove();
  }
}
