import { Ticket } from '../../contracts/access.js';
import type { HttpApp, Uses } from '../http-app.js';
import { withProblems } from '../problem.js';

/** Who calls where no key is needed. */
const ANYBODY = { name: 'anybody', scope: 'admin' } as const;

/** /tickets */
export default async function ticketRoutes(app: HttpApp, { tickets }: Uses<'tickets'>): Promise<void> {
  app.post(
    '/tickets',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['operations'],
        summary: 'A ticket that stands for the key in an address',
        description:
          'For browsers, whose WebSocket and EventSource cannot send a header: /experiments/{id}/progress?ticket=… and /experiments/{id}/events?ticket=…. It serves once, for 30 seconds, with the scope of the key.',
        response: withProblems({ 201: Ticket }),
      },
    },
    async ({ caller }, reply) => reply.code(201).send(tickets.issue(caller ?? ANYBODY)),
  );
}
