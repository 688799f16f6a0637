import type { Socket } from 'node:net';
import type { HttpApp } from '../http-app.js';

/**
 * Ends connections that never asked for anything when the server stops: clients open some ahead. Node counts them neither as
 * idle nor as done, and would wait for their first request until its time is over.
 */
export function endUnusedConnections(app: HttpApp): void {
  const unused = new Set<Socket>();
  app.server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  for (const event of ['request', 'upgrade'] as const)
    app.server.on(event, ({ socket }: { readonly socket: Socket }) => unused.delete(socket));
  app.addHook('preClose', async () => {
    for (const socket of unused) socket.destroy();
  });
}
