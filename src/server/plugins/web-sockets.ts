import websocket from '@fastify/websocket';
import fp from 'fastify-plugin';
import type { HttpApp, Uses } from '../http-app.js';

/** Maximum size of a message from a client; none is expected. */
const MAX_SOCKET_MESSAGE_BYTES = 1024;
/** Time that clients have to acknowledge the closing of their sockets. */
const SOCKET_CLOSE_MS = 1000;

/** Accepts WebSockets, and closes all streams when the server stops. */
export default fp(takeWebSockets, { name: 'web-sockets' });

async function takeWebSockets(app: HttpApp, { streams }: Uses<'streams'>): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: MAX_SOCKET_MESSAGE_BYTES },
    errorHandler: (_error, socket) => socket.terminate(),
    preClose(done) {
      streams.shutDown();
      const { clients } = this.websocketServer;
      const timer = setTimeout(() => {
        for (const client of clients) client.terminate();
      }, SOCKET_CLOSE_MS);
      this.websocketServer.close(() => {
        clearTimeout(timer);
        done();
      });
    },
  });
}
