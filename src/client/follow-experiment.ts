import type { z } from 'zod';
import type { StoredEvent } from '../contracts/events.js';
import type { ProgressSnapshot } from '../contracts/progress.js';
import type { Connection } from './connection.js';
import { ConnectionError, GatelmError } from './gatelm-error.js';

export type ProgressEvent = z.infer<typeof StoredEvent>;
export type Snapshot = z.infer<typeof ProgressSnapshot>;

export interface FollowOptions {
  /** Number of the last event that is known already. */
  readonly since?: number;
  /** Ends the loop. */
  readonly signal?: AbortSignal;
  /** Told the experiment as it is, at each connection. */
  readonly onSnapshot?: (snapshot: Snapshot) => void;
  /** Tries in a row without an event before it gives up. */
  readonly maxReconnections?: number;
}

/** Close code after the last event (RFC 6455, section 7.4.1). */
const COMPLETE = 1000;
const MAX_RECONNECTIONS = 20;
const MAX_WAIT_MS = 5000;

/** The part of a WebSocket that browsers and the package ws have in common. */
interface Socket {
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  close(): void;
}

/**
 * Every event of an experiment, to its last one. A connection that breaks is made again, with growing pauses, and goes on
 * after the last event that came: none is missed, none comes twice.
 * @throws GatelmError when the experiment is not there, ConnectionError when the server stays away
 */
export async function* followExperiment(
  connection: Connection,
  id: string,
  { since = 0, signal, onSnapshot, maxReconnections = MAX_RECONNECTIONS }: FollowOptions = {},
): AsyncGenerator<ProgressEvent> {
  let seq = since;
  for (let failures = 0; ; failures++) {
    const messages = readMessages(await openSocket(connection, id, seq), signal);
    try {
      for (;;) {
        const { value, done } = await messages.next();
        if (done && (value === COMPLETE || signal?.aborted)) return;
        if (done) break;
        const message = JSON.parse(value) as ProgressEvent | Snapshot | { type: 'heartbeat' };
        if (message.type === 'snapshot') onSnapshot?.(message as Snapshot);
        if (!('data' in message)) continue;
        seq = message.seq;
        failures = 0;
        yield message;
      }
    } finally {
      await messages.return(COMPLETE); // whoever leaves the loop leaves no socket behind
    }
    if (failures >= maxReconnections)
      throw new ConnectionError(connection.url, new Error('the connection broke'));
    await pause(Math.min(MAX_WAIT_MS, 100 * 2 ** failures), signal);
    if (signal?.aborted) return;
    await assertThere(connection, id);
  }
}

/** A refusal cannot be read off a socket: asks for the experiment, and stays silent where nobody answers. */
async function assertThere(connection: Connection, id: string): Promise<void> {
  try {
    await connection.json('GET', `/experiments/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof GatelmError && error.status < 500) throw error;
  }
}

/** Browsers send no headers with a socket: the key is changed for a ticket, which is good once. */
async function openSocket(connection: Connection, id: string, since: number): Promise<Socket> {
  const ticket = await createTicket(connection);
  const path = `/experiments/${encodeURIComponent(id)}/progress`;
  const url = connection.address(path, { since, ticket }).replace(/^http/, 'ws');
  const WebSocketClass = globalThis.WebSocket ?? (await import('ws')).default;
  return new WebSocketClass(url) as unknown as Socket;
}

async function createTicket(connection: Connection): Promise<string | undefined> {
  if (!connection.headers.authorization) return undefined;
  try {
    return (await connection.json<{ ticket: string }>('POST', '/tickets')).ticket;
  } catch (error) {
    if (error instanceof GatelmError && error.status < 500) throw error;
    return undefined; // the socket fails, and is tried again
  }
}

/** The messages of a socket; returns its close code. Leaving the loop closes it. */
async function* readMessages(socket: Socket, signal?: AbortSignal): AsyncGenerator<string, number> {
  const messages: string[] = [];
  let closeCode: number | null = null;
  let wake = () => {};
  const close = () => socket.close();
  signal?.addEventListener('abort', close);
  socket.onmessage = ({ data }) => {
    messages.push(String(data));
    wake();
  };
  socket.onerror = () => {}; // the close follows
  socket.onclose = ({ code }) => {
    closeCode = code;
    wake();
  };
  try {
    for (;;) {
      yield* messages.splice(0);
      if (messages.length > 0) continue;
      if (closeCode !== null) return closeCode;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal?.removeEventListener('abort', close);
    socket.close();
  }
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
