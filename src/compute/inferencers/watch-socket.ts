import type { WebSocket } from 'ws';

/** Intervals without any message, within the limit, after which the other side counts as lost. */
const SILENT_TICKS = 5;

/**
 * Pings the other side until the connection is closed, and terminates it when nothing has come for longer than the limit. It counts
 * ticks instead of time, so that a pause of this process does not count as silence of the other one.
 */
export function watchSocket(socket: WebSocket, silenceMs: number): void {
  let silentTicks = 0;
  const hear = () => {
    silentTicks = 0;
  };
  const timer = setInterval(() => {
    silentTicks += 1;
    if (silentTicks > SILENT_TICKS) socket.terminate();
    else socket.ping();
  }, silenceMs / SILENT_TICKS);
  for (const event of ['message', 'ping', 'pong']) socket.on(event, hear);
  socket.on('close', () => clearInterval(timer));
}
