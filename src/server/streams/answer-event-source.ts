import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { lastOfStream, type NumberedEvent } from '../../experiments/event-history.js';
import type { Uses } from '../http-app.js';
import { EventSourceSink } from './event-source-sink.js';
import { followRun, type RunToFollow } from './follow-run.js';
import { EVENT_STREAM } from './text-stream.js';

/** Headers of a route whose events an EventSource may follow. */
export const EventSourceHeaders = z.object({
  'last-event-id': z.string().max(20).optional().describe('Sent by clients that reconnect; same as since'),
});

/** Where a client goes on: where it lost its connection, else where it asked to begin. */
export function sinceOf(headers: z.infer<typeof EventSourceHeaders>, since: number): number {
  const lastSeen = Number.parseInt(headers['last-event-id'] ?? '', 10);
  return Number.isSafeInteger(lastSeen) ? lastSeen : since;
}

/**
 * Follows a run by Server-Sent Events. When nothing comes any more it answers 204, which tells an EventSource to stop.
 * @throws queue-full when no further stream may be opened
 */
export function answerEventSource<Event extends NumberedEvent>(
  reply: FastifyReply,
  services: Uses<'environment' | 'streams'>,
  run: RunToFollow<Event>,
): FastifyReply {
  const last = lastOfStream(run.history);
  if (last && run.since >= last.seq) return reply.code(204).send();
  services.streams.assertRoom();
  reply.hijack();
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': EVENT_STREAM,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  followRun(services, new EventSourceSink(reply.raw), run);
  return reply;
}
