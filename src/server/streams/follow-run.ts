import type { EventType } from '../../contracts/events.js';
import { viewExperiment } from '../../experiments/experiment-view.js';
import { findExperiment } from '../../experiments/find-experiment.js';
import { followEvents } from '../../experiments/follow-events.js';
import type { Logger } from '../../experiments/logger.js';
import type { Uses } from '../http-app.js';

/** A message of a progress stream. */
export interface ProgressMessage {
  readonly type: 'snapshot' | EventType;
  readonly json: string;
  /** Of an event: where a client that comes back goes on. */
  readonly seq?: number;
}

/** Why a stream ends: nothing comes any more (with the last event), or one of the others. */
export type StreamEnd =
  | { readonly why: 'over'; readonly last: EventType | 'deleted' }
  | { readonly why: 'too-slow'; readonly seq: number }
  | { readonly why: 'shutdown' | 'failed' };

/** Where the messages of a progress stream go: a WebSocket, or a response of Server-Sent Events. */
export interface ProgressSink {
  readonly isOpen: boolean;
  readonly unsentBytes: number;
  send(message: ProgressMessage): void;
  /** @param wasQuiet no message was sent since the last one */
  heartbeat(wasQuiet: boolean): void;
  /** Settles when the client has taken what was sent. */
  hasRoom(): Promise<void>;
  onClose(callback: () => void): void;
  end(end: StreamEnd): void;
}

export interface RunToFollow {
  readonly experimentId: string;
  /** Number of the last event that the client knows. */
  readonly since: number;
  readonly log: Logger;
}

/**
 * Sends a snapshot, then every event after `since`, and ends after the last one. A client that reads too slowly is closed; it
 * goes on with the number of the last event that it got.
 */
export function followRun(
  services: Uses<'store' | 'bus' | 'environment' | 'streams'>,
  sink: ProgressSink,
  { experimentId, since, log }: RunToFollow,
): void {
  const { heartbeatMs, maxStreamBufferBytes } = services.environment;
  let stopFollowing = () => {};
  let isReplaying = true;
  let wasQuiet = true;

  const remove = services.streams.add({ shutDown: () => end({ why: 'shutdown' }) });
  const heartbeat = setInterval(() => {
    sink.heartbeat(wasQuiet);
    wasQuiet = true;
  }, heartbeatMs);
  sink.onClose(tidyUp);
  try {
    const experiment = viewExperiment(services.store, findExperiment(services.store, experimentId));
    const snapshot = { type: 'snapshot', experiment, seq: experiment.seq } as const;
    send({ type: snapshot.type, json: JSON.stringify(snapshot) });
    stopFollowing = followEvents(services, experimentId, since, {
      onEvent({ event: { type, seq }, json }) {
        send({ type, json, seq });
        // A replay waits for its reader; what is live cannot.
        if (!isReplaying && sink.unsentBytes > maxStreamBufferBytes) end({ why: 'too-slow', seq });
      },
      hasRoom: () => sink.hasRoom(),
      onLive() {
        isReplaying = false;
      },
      onEnd: (last) => end({ why: 'over', last }),
      onFailure: fail,
    });
    if (!sink.isOpen) stopFollowing();
  } catch (error) {
    fail(error);
  }

  function send(message: ProgressMessage): void {
    wasQuiet = false;
    sink.send(message);
  }

  function fail(error: unknown): void {
    log.error({ err: error, experimentId }, 'a progress stream failed');
    end({ why: 'failed' });
  }

  function end(reason: StreamEnd): void {
    tidyUp();
    sink.end(reason);
  }

  function tidyUp(): void {
    clearInterval(heartbeat);
    stopFollowing();
    remove();
  }
}
