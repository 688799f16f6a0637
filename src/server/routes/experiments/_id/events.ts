import { z } from 'zod';
import { StoredEvent } from '../../../../contracts/events.js';
import { exampleOf, textLike } from '../../../../contracts/example-of.js';
import { ExperimentParams } from '../../../../contracts/http.js';
import { EventPage, ListEventsQuery } from '../../../../contracts/progress.js';
import { findExperiment } from '../../../../experiments/find-experiment.js';
import { hasEnded, pageOfEvents } from '../../../../experiments/follow-events.js';
import { preferredType } from '../../../accept.js';
import { eventText } from '../../../event-text.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { EventSourceSink } from '../../../streams/event-source-sink.js';
import { followRun } from '../../../streams/follow-run.js';

const EVENT_STREAM = 'text/event-stream';
const Headers = z.object({
  'last-event-id': z.string().max(20).optional().describe('Sent by clients that reconnect; same as since'),
});

const EXAMPLE = exampleOf(StoredEvent);

/** /experiments/:id/events */
export default async function eventsRoutes(
  app: HttpApp,
  services: Uses<'store' | 'bus' | 'environment' | 'streams'>,
): Promise<void> {
  app.get(
    '/events',
    {
      config: { takesTicket: true },
      schema: {
        tags: ['experiments'],
        summary: 'Events of an experiment: a page, or a stream with Accept: text/event-stream',
        description:
          'The stream has the same messages as the progress socket, with the number of the event as its id. When there are no more events, the response is 204, which tells an EventSource to stop.',
        params: ExperimentParams,
        querystring: ListEventsQuery,
        headers: Headers,
        response: withProblems({
          200: {
            description: 'Events in order',
            content: {
              'application/json': { schema: EventPage },
              [EVENT_STREAM]: { schema: textLike(eventText(EXAMPLE.type, EXAMPLE, EXAMPLE.seq)) },
            },
          },
          204: z.undefined().describe('No more events'),
        }),
      },
    },
    async ({ params, query, headers, log }, reply) => {
      const experiment = findExperiment(services.store, params.id);
      if (preferredType(headers.accept, ['application/json', EVENT_STREAM]) === 'application/json')
        return reply.type('application/json').send(pageOfEvents(services.store, experiment, query));

      const lastSeen = Number.parseInt(headers['last-event-id'] ?? '', 10);
      const since = Number.isSafeInteger(lastSeen) ? lastSeen : query.since;
      if (since >= experiment.seq && hasEnded(services.store, experiment)) return reply.code(204).send();
      services.streams.assertRoom();
      reply.hijack();
      reply.raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': EVENT_STREAM,
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      followRun(services, new EventSourceSink(reply.raw), { experimentId: params.id, since, log });
      return reply;
    },
  );
}
