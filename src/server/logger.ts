import type { FastifyRequest } from 'fastify';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Environment } from '../contracts/environment.js';

/** The log of the server process: one JSON object per line. */
export function createLogger({ logLevel }: Pick<Environment, 'logLevel'>, stream: DestinationStream): Logger {
  return pino({ level: logLevel, serializers: { req: describeRequest } }, stream);
}

/** A request as logged: without tickets in its URL. */
function describeRequest({ method, url, host, ip }: FastifyRequest) {
  const [, experimentId] = /^\/experiments\/([^/?]{1,64})/.exec(url) ?? [];
  return {
    method,
    url: url.replace(/([?&]ticket=)[^&]*/g, '$1…'),
    host,
    remoteAddress: ip,
    ...(experimentId !== undefined && { experimentId }),
  };
}
