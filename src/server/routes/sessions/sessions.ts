import { CreateSessionBody, Session } from '../../../contracts/session.js';
import { createSession } from '../../../experiments/use-sessions.js';
import type { HttpApp, ModelParts, Uses } from '../../http-app.js';
import { withProblems } from '../../problem.js';

/** /sessions: texts that continue across requests; the cost of a token does not depend on the length of the text. */
export default async function sessionsRoutes(
  app: HttpApp,
  services: Uses<ModelParts | 'sessions'>,
): Promise<void> {
  app.post(
    '',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: ['sessions'],
        summary: 'Create a session: a text that continues across requests',
        description:
          'The server keeps the state of the model: one vector per layer, whatever the length of the text. With `state`, as returned by GET /sessions/{id}/state, a session is restored.',
        body: CreateSessionBody,
        response: withProblems({ 201: Session }),
      },
    },
    async ({ body }, reply) => {
      const session = await createSession(services, body);
      return reply.code(201).header('location', `/sessions/${session.id}`).send(session);
    },
  );
}
