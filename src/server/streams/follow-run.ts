import type { EventHistory, NumberedEvent } from '../../experiments/event-history.js';
import { followEvents } from '../../experiments/follow-events.js';
import type { Logger } from '../../experiments/logger.js';
import type { Uses } from '../http-app.js';

/** A message of a progress stream. */
export interface ProgressMessage {
  /** `snapshot`, or the type of an event. */
  readonly type: string;
  readonly json: string;
  /** Number of the event, from which a client that reconnects continues. */
  readonly seq?: number;
}

/** Why a stream ends; `over`: there are no more events. */
export type StreamEnd =
  | { readonly why: 'over'; readonly last: string }
  | { readonly why: 'too-slow'; readonly seq: number }
  | { readonly why: 'shutdown' | 'failed' };

/** The receiver of a progress stream: a WebSocket or a response with server-sent events. */
export interface ProgressSink {
  readonly isOpen: boolean;
  readonly unsentBytes: number;
  send(message: ProgressMessage): void;
  /** @param wasQuiet whether no message was sent since the last heartbeat */
  heartbeat(wasQuiet: boolean): void;
  /** Settles when the client has received the messages sent so far. */
  hasRoom(): Promise<void>;
  onClose(callback: () => void): void;
  end(end: StreamEnd): void;
}

/** An experiment or a sweep. */
export interface RunToFollow<Event extends NumberedEvent> {
  readonly history: EventHistory<Event>;
  /** The first message: what it is now, with the number of its latest event. */
  snapshot(): Readonly<Record<string, unknown>>;
  /** Number of the last event that the client knows. */
  readonly since: number;
  readonly log: Logger;
}

/**
 * Sends a snapshot, then every event after `since`, and ends after the last one. A client that reads too slowly is disconnected; it
 * can reconnect with the number of the last event that it received.
 */
export function followRun<Event extends NumberedEvent>(
  services: Uses<'environment' | 'streams'>,
  sink: ProgressSink,
  { history, snapshot, since, log }: RunToFollow<Event>,
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
  sink.onClose(cleanUp);
  try {
    send({ type: 'snapshot', json: JSON.stringify({ type: 'snapshot', ...snapshot() }) });
    stopFollowing = followEvents(history, since, {
      onEvent({ event: { type, seq }, json }) {
        send({ type, json, seq });
        // A replay waits for its reader; live events cannot.
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
    log.error({ err: error }, 'a progress stream failed');
    end({ why: 'failed' });
  }

  function end(reason: StreamEnd): void {
    cleanUp();
    sink.end(reason);
  }

  function cleanUp(): void {
    clearInterval(heartbeat);
    stopFollowing();
    remove();
  }
}
