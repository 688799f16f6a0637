import type { IncomingMessage } from 'node:http';
import type { HttpApp } from '../http-app.js';

/** What is read and dropped of a body that was refused, at most; and for how long. */
const MAX_DROPPED_BYTES = 64 * 1024 * 1024;
const MAX_DROPPING_MS = 5000;

/**
 * Reads a bounded rest of a body that was refused before it answers: a client that still sends when its connection is closed sees a
 * reset instead of the answer.
 */
export default async function dropRefusedBodies(app: HttpApp): Promise<void> {
  app.addHook('onSend', async ({ raw }, { statusCode }, payload) => {
    if (statusCode >= 400 && !raw.complete && !raw.readableEnded && !raw.destroyed) await drop(raw);
    return payload;
  });
}

function drop(body: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let dropped = 0;
    const timer = setTimeout(finish, MAX_DROPPING_MS);
    const count = (chunk: Buffer) => {
      dropped += chunk.length;
      if (dropped > MAX_DROPPED_BYTES) finish();
    };
    body.unpipe();
    body.on('data', count).once('end', finish).once('close', finish).once('error', finish);
    body.resume();

    function finish(): void {
      clearTimeout(timer);
      body.off('data', count).off('end', finish).off('close', finish).off('error', finish);
      resolve();
    }
  });
}
