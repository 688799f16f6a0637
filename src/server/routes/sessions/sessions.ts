import { CreateSessionBody, Session } from '../../../contracts/session.js';
import { createSession } from '../../../experiments/use-sessions.js';
import type { HttpApp, ModelParts, Uses } from '../../http-app.js';
import { withProblems } from '../../problem.js';

/** /sessions: texts that go on from request to request; a token costs the same however long the text is. */
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
        summary: 'Begin a text that goes on from request to request',
        description:
          'The server keeps what the model remembers of it: one vector a layer, whatever the length. With `state`, as GET /sessions/{id}/state gave it, a session is brought back.',
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
