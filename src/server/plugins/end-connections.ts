import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpApp } from '../http-app.js';

/**
 * When the server stops, closes the connections that Node would wait a minute for: those without a request, as
 * clients open some in advance, and those with a pending response, once it is complete.
 */
export default async function endConnections(app: HttpApp): Promise<void> {
  const unused = new Set<Socket>();
  let stops = false;
  app.server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    unused.delete(socket);
    response.once('close', () => {
      if (stops) socket.end();
    });
  });
  app.server.on('upgrade', ({ socket }: IncomingMessage) => unused.delete(socket));
  app.addHook('preClose', async () => {
    stops = true;
    for (const socket of unused) socket.destroy();
  });
}
