import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Headers that speak of the connection alone. */
const UPGRADE_HEADERS: ReadonlySet<string> = new Set(['upgrade', 'http2-settings', 'connection']);

/**
 * Reads requests that offer another protocol than WebSocket as if they did not, as RFC 9110, section 7.8 wants it: Java's HTTP
 * client and `curl --http2` offer `h2c` with every request. Node gives all of them to the listener of upgrades.
 * To be called when that listener is there.
 */
export function ignoreOtherUpgrades(server: Server): void {
  const listeners = server.listeners('upgrade');
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.upgrade?.trim().toLowerCase() === 'websocket')
      for (const listener of listeners) listener.call(server, request, socket, head);
    else readAgain(server, request, socket, head);
  });
}

/** Puts the request back, without its offer, and has the server read the connection from there. */
function readAgain(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (!UPGRADE_HEADERS.has(rawHeaders[at]!.toLowerCase()))
      lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  if (/\bclose\b/i.test(request.headers.connection ?? '')) lines.push('Connection: close');
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}
