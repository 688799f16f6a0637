import type { Socket } from 'node:net';
import type { Problem } from '../contracts/problem.js';

/** Responses to malformed or oversized requests, for which Node provides neither a request nor a reply. */
const ANSWERS: Readonly<Record<string, readonly [status: number, phrase: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The header is too large'],
  HPE_INVALID_URL: [
    400,
    'Bad Request',
    'The URL has characters that must be percent-encoded, as in ?prompt=%C3%A9; with curl: -G --data-urlencode "prompt=é"',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request took too long to arrive'],
};
const MALFORMED = [400, 'Bad Request', 'The request is not valid HTTP'] as const;
const TLS = [400, 'Bad Request', 'This server speaks plain HTTP; use http:// instead of https://'] as const;
/** First byte of every TLS connection: a handshake. */
const TLS_HANDSHAKE = 0x16;

/** Answers a malformed request with a problem and closes the connection. */
export function answerClientError(
  error: NodeJS.ErrnoException & { readonly rawPacket?: unknown },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, phrase, detail] = ANSWERS[error.code ?? ''] ?? (isTls(error.rawPacket) ? TLS : MALFORMED);
  const problem: Problem = {
    type: 'urn:gatelm:error:bad-request',
    title: phrase,
    status,
    detail,
    code: 'bad-request',
    instance: '',
  };
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${phrase}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function isTls(packet: unknown): boolean {
  return packet instanceof Uint8Array && packet[0] === TLS_HANDSHAKE;
}
