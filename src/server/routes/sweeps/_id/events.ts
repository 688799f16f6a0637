import { z } from 'zod';
import { exampleOf, textLike } from '../../../../contracts/example-of.js';
import { StoredSweepEvent } from '../../../../contracts/sweep-record.js';
import { SweepEventPage, SweepEventsQuery, SweepParams } from '../../../../contracts/sweep-view.js';
import { findSweep } from '../../../../experiments/sweeps/find-sweep.js';
import { preferredType } from '../../../accept.js';
import { eventText } from '../../../event-text.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { answerEventSource, EventSourceHeaders, sinceOf } from '../../../streams/answer-event-source.js';
import { sweepRun } from '../../../streams/sweep-run.js';
import { EVENT_STREAM } from '../../../streams/text-stream.js';

const EXAMPLE = exampleOf(StoredSweepEvent);

/** /sweeps/:id/events */
export default async function sweepEventsRoutes(
  app: HttpApp,
  services: Uses<'store' | 'sweepLog' | 'environment' | 'streams'>,
): Promise<void> {
  app.get(
    '/events',
    {
      config: { takesTicket: true },
      schema: {
        tags: ['sweeps'],
        summary: 'Events of a sweep: a page, or a stream with Accept: text/event-stream',
        description:
          'What it decided: trials, rungs, promotions, a new best. The stream has the same messages as the progress socket, with the number of the event as its id. When nothing comes any more it answers 204, which tells an EventSource to stop.',
        params: SweepParams,
        querystring: SweepEventsQuery,
        headers: EventSourceHeaders,
        response: withProblems({
          200: {
            description: 'Events in order',
            content: {
              'application/json': { schema: SweepEventPage },
              [EVENT_STREAM]: { schema: textLike(eventText(EXAMPLE.type, EXAMPLE, EXAMPLE.seq)) },
            },
          },
          204: z.undefined().describe('Nothing comes any more'),
        }),
      },
    },
    async ({ params, query, headers, log }, reply) => {
      const sweep = findSweep(services.store, params.id);
      if (preferredType(headers.accept, ['application/json', EVENT_STREAM]) === EVENT_STREAM)
        return answerEventSource(reply, services, {
          ...sweepRun(services, sweep.id, log),
          since: sinceOf(headers, query.since),
        });
      const since = Math.min(query.since, sweep.seq); // a number from the future would hide what is yet to come
      const items = services.store.sweeps.eventsAfter(sweep, since, query.limit);
      const nextSince = items.at(-1)?.seq ?? since;
      return reply.type('application/json').send({ items, nextSince, hasMore: nextSince < sweep.seq });
    },
  );
}
