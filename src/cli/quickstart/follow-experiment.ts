import WebSocket from 'ws';
import { z } from 'zod';
import { EventBody, ProgressSnapshot } from '../../contracts/http.js';

const Message = z.union([ProgressSnapshot, EventBody, z.object({ type: z.literal('heartbeat') })]);
export type Event = z.infer<typeof EventBody>;

/** Close code after the last event (RFC 6455, section 7.4.1). */
const COMPLETE = 1000;
const MAX_RECONNECTIONS = 5;

/**
 * Every event of an experiment, from its first to its last, by WebSocket. A connection that breaks is made again and
 * goes on after the last event that came.
 * @throws Error when the server cannot be reached any more
 */
export async function* followExperiment(
  address: string,
  id: string,
  headers: Record<string, string>,
): AsyncGenerator<Event> {
  let since = 0;
  for (let failures = 0; failures <= MAX_RECONNECTIONS; failures++) {
    const url = `${address.replace(/^http/, 'ws')}/experiments/${id}/progress?since=${since}`;
    const connection = readMessages(new WebSocket(url, { headers }));
    for (;;) {
      const { value, done } = await connection.next();
      if (done && value === COMPLETE) return;
      if (done) break;
      const message = Message.parse(JSON.parse(value));
      if (message.type === 'snapshot' || message.type === 'heartbeat') continue;
      since = message.seq;
      failures = 0;
      yield message;
    }
  }
  throw new Error(`The connection to ${address} broke`);
}

/** The messages of a socket; returns its close code. */
async function* readMessages(socket: WebSocket): AsyncGenerator<string, number> {
  const messages: string[] = [];
  let closeCode: number | null = null;
  let wake = () => {};
  socket.on('message', (data) => {
    messages.push(String(data));
    wake();
  });
  socket.on('error', () => {}); // `close` follows
  socket.on('close', (code) => {
    closeCode = code;
    wake();
  });
  for (;;) {
    yield* messages.splice(0);
    if (messages.length > 0) continue;
    if (closeCode !== null) return closeCode;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}
