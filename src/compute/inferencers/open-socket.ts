import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { errorOfProblem } from '../../contracts/problem.js';

const HANDSHAKE_MS = 10_000;

/**
 * Opens a WebSocket at a server.
 * @param address http://… or https://…
 * @throws AppError when the server refuses; another error when it cannot be reached at the moment
 */
export function openSocket(address: string, key: string | null): Promise<WebSocket> {
  const socket = new WebSocket(address.replace(/^http/, 'ws'), {
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: 0, // the server is trusted
    perMessageDeflate: false,
    ...(key !== null && { headers: { authorization: `Bearer ${key}` } }),
  });
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(socket));
    socket.on('error', reject); // stays: errors of an open socket are followed by close
    socket.on('unexpected-response', (request, response) => {
      void readRefusal(response)
        .then(reject, reject)
        .finally(() => request.destroy());
    });
  });
}

async function readRefusal(response: IncomingMessage): Promise<Error> {
  const status = response.statusCode ?? 0;
  const body = await text(response);
  if (status >= 500 || status === 429) return new Error(`the server answers with HTTP ${status}`);
  return errorOfProblem(status, parseJson(body));
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
