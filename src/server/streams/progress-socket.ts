import type { WebSocket } from 'ws';
import type { EventType } from '../../contracts/events.js';
import { viewExperiment } from '../../experiments/experiment-view.js';
import { findExperiment } from '../../experiments/find-experiment.js';
import { followEvents } from '../../experiments/follow-events.js';
import type { Logger } from '../../experiments/logger.js';
import type { Services } from '../../experiments/services.js';
import type { StreamRegistry } from './stream-registry.js';

/** Close codes of RFC 6455, section 7.4.1, and of the IANA registry. */
const CLOSE = { normal: 1000, goingAway: 1001, internalError: 1011, tryAgainLater: 1013 } as const;

export interface ProgressRequest {
  readonly experimentId: string;
  /** Number of the last event that the client knows. */
  readonly since: number;
  readonly log: Logger;
}

/**
 * Sends a snapshot, then every event after `since`, and closes after the last one. A client that reads too slowly is
 * closed with a reason; it goes on with `since`. A quiet stream sends heartbeats, and a client that answers no ping is gone.
 */
export function openProgressSocket(
  services: Services,
  registry: StreamRegistry,
  socket: WebSocket,
  { experimentId, since, log }: ProgressRequest,
): void {
  const { heartbeatMs, maxStreamBufferBytes } = services.environment;
  let stopFollowing = () => {};
  let unsent = 0;
  let whenSent: (() => void)[] = [];
  let isReplaying = true;
  let wasQuiet = true;
  let isAnswering = true;

  const remove = registry.add({ shutDown: () => finish(CLOSE.goingAway, 'the server stops') });
  const heartbeat = setInterval(beat, heartbeatMs);
  socket.on('pong', () => {
    isAnswering = true;
  });
  socket.on('close', tidyUp);
  try {
    const experiment = viewExperiment(services.store, findExperiment(services.store, experimentId));
    send(JSON.stringify({ type: 'snapshot', experiment, seq: experiment.seq }));
    stopFollowing = followEvents(services, experimentId, since, {
      onEvent(published) {
        send(published.json);
        // A replay waits for its reader; what is live cannot.
        if (!isReplaying && socket.bufferedAmount > maxStreamBufferBytes)
          finish(CLOSE.tryAgainLater, `too slow; go on with since=${published.event.seq}`);
      },
      hasRoom: () => (unsent === 0 ? Promise.resolve() : new Promise((sent) => whenSent.push(sent))),
      onLive() {
        isReplaying = false;
      },
      onEnd: (reason: EventType | 'deleted') => finish(CLOSE.normal, reason),
      onFailure: fail,
    });
    if (socket.readyState !== socket.OPEN) stopFollowing();
  } catch (error) {
    fail(error);
  }

  function fail(error: unknown): void {
    log.error({ err: error, experimentId }, 'a progress stream failed');
    finish(CLOSE.internalError, 'the stream failed');
  }

  function send(text: string): void {
    wasQuiet = false;
    unsent += 1;
    socket.send(text, () => {
      unsent -= 1;
      if (unsent > 0) return;
      for (const sent of whenSent) sent();
      whenSent = [];
    });
  }

  function beat(): void {
    if (!isAnswering) {
      socket.terminate();
      return;
    }
    isAnswering = false;
    socket.ping();
    if (wasQuiet) send(JSON.stringify({ type: 'heartbeat', time: new Date().toISOString() }));
    wasQuiet = true;
  }

  function finish(code: number, reason: string): void {
    tidyUp();
    socket.close(code, reason);
  }

  function tidyUp(): void {
    clearInterval(heartbeat);
    stopFollowing();
    remove();
  }
}
