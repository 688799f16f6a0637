import { Ticket } from '../../contracts/access.js';
import type { HttpApp, Uses } from '../http-app.js';
import { withProblems } from '../problem.js';

/** The caller if no key is needed. */
const ANYBODY = { name: 'anybody', scope: 'admin' } as const;

/** /tickets */
export default async function ticketRoutes(app: HttpApp, { tickets }: Uses<'tickets'>): Promise<void> {
  app.post(
    '/tickets',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['operations'],
        summary: 'Create a ticket that replaces the key in a URL',
        description:
          'For browsers, whose WebSocket and EventSource cannot send a header: /experiments/{id}/progress?ticket=… and /experiments/{id}/events?ticket=…. A ticket can be used once, within 30 seconds, and has the scope of the key.',
        response: withProblems({ 201: Ticket }),
      },
    },
    async ({ caller }, reply) => reply.code(201).send(tickets.issue(caller ?? ANYBODY)),
  );
}
