import { z } from 'zod';
import { StoredEvent } from '../../../../contracts/events.js';
import { exampleOf, textLike } from '../../../../contracts/example-of.js';
import { ExperimentParams } from '../../../../contracts/http.js';
import { EventPage, ListEventsQuery } from '../../../../contracts/progress.js';
import { findExperiment } from '../../../../experiments/find-experiment.js';
import { pageOfEvents } from '../../../../experiments/follow-events.js';
import { preferredType } from '../../../accept.js';
import { eventText } from '../../../event-text.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { answerEventSource, EventSourceHeaders, sinceOf } from '../../../streams/answer-event-source.js';
import { experimentRun } from '../../../streams/experiment-run.js';
import { EVENT_STREAM } from '../../../streams/text-stream.js';

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
        headers: EventSourceHeaders,
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

      return answerEventSource(reply, services, {
        ...experimentRun(services, experiment.id, log),
        since: sinceOf(headers, query.since),
      });
    },
  );
}
