import type { IncomingMessage } from 'node:http';
import type { HttpApp } from '../http-app.js';

/** Maximum size and time for reading and discarding a refused body. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;
const MAX_DISCARD_MS = 5000;

/**
 * Discards the rest of a refused body, up to a limit, before responding: a client that is still sending when its connection is closed sees a
 * reset instead of the response.
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
    const timer = setTimeout(finish, MAX_DISCARD_MS);
    const count = (chunk: Buffer) => {
      dropped += chunk.length;
      if (dropped > MAX_DISCARDED_BYTES) finish();
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
