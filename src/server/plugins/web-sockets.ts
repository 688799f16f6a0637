import type { IncomingMessage } from 'node:http';
import websocket from '@fastify/websocket';
import fp from 'fastify-plugin';
import { appError } from '../../errors.js';
import type { HttpApp, Uses } from '../http-app.js';
import { ignoreOtherUpgrades } from '../upgrades.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Maximum size of a message on the WebSocket of this route, in bytes; default: 1024. */
    readonly maxSocketMessageBytes?: number;
  }
}

/** Maximum size of a message from a client where none is expected. */
const MAX_SOCKET_MESSAGE_BYTES = 1024;
/** Time that clients have to acknowledge the closing of their sockets. */
const SOCKET_CLOSE_MS = 1000;

/** Accepts WebSockets where there are some, ignores other upgrades, and closes all streams when the server stops. */
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
  limitMessages(app);
  ignoreOtherUpgrades(app.server);
  refuseElsewhere(app);
}

/** The library has one limit for all sockets: it is set for each of them before it is made. */
function limitMessages(app: HttpApp): void {
  const limits = new WeakMap<IncomingMessage, number>();
  app.addHook('onRequest', async ({ ws, raw, routeOptions: { config } }) => {
    if (ws) limits.set(raw, config.maxSocketMessageBytes ?? MAX_SOCKET_MESSAGE_BYTES);
  });
  app.websocketServer.on('headers', (_headers, request) => {
    app.websocketServer.options.maxPayload = limits.get(request) ?? MAX_SOCKET_MESSAGE_BYTES;
  });
}

/** A route without a socket would accept one and close it without a word. */
function refuseElsewhere(app: HttpApp): void {
  const urls = new Set<string>();
  app.addHook('onRoute', ({ url, websocket: isSocket, wsHandler }) => {
    if (isSocket || wsHandler) urls.add(url);
  });
  app.addHook('onRequest', async ({ ws, routeOptions: { url }, url: asked }) => {
    if (ws && url !== undefined && !urls.has(url))
      throw appError('bad-request', {
        reason: `There is no WebSocket at ${asked.split('?', 1)[0]!.slice(0, 200)}`,
      });
  });
}
