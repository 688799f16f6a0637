import { z } from 'zod';
import {
  FeedBody,
  Session,
  SessionGenerateBody,
  SessionParams,
  SessionState,
} from '../../../../contracts/session.js';
import { feedSession, forkSession, generateInSession } from '../../../../experiments/use-sessions.js';
import type { HttpApp, ModelParts, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { answerText, TEXT_RESPONSES } from '../../../streams/text-answer.js';

const TAGS = ['sessions'];

/** /sessions/:id */
export default async function sessionRoutes(
  app: HttpApp,
  { streams, ...services }: Uses<ModelParts | 'sessions' | 'streams'>,
): Promise<void> {
  const { maxStreamBufferBytes: maxBufferBytes } = services.environment;
  const params = SessionParams;

  app.get(
    '',
    { schema: { tags: TAGS, summary: 'One session', params, response: withProblems({ 200: Session }) } },
    async ({ params: { id } }) => services.sessions.get(id),
  );
  app.delete(
    '',
    {
      config: { scope: 'read' },
      schema: {
        tags: TAGS,
        summary: 'Forget a session',
        params,
        response: withProblems({ 204: z.undefined().describe('Forgotten') }),
      },
    },
    async ({ params: { id } }, reply) => {
      services.sessions.delete(id);
      return reply.code(204).send();
    },
  );
  app.post(
    '/feed',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: TAGS,
        summary: 'Let a session read on',
        params,
        body: FeedBody,
        response: withProblems({ 200: Session }),
      },
    },
    async ({ params: { id }, body: { text } }) => feedSession(services, id, text),
  );
  app.post(
    '/generate',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: TAGS,
        summary: 'Let a session write on',
        description:
          'As POST /generate; `prompt` is read first. The session goes on behind what was written, a stop string included. One request of a session at a time.',
        params,
        body: SessionGenerateBody,
        response: TEXT_RESPONSES,
      },
    },
    async (request, reply) =>
      answerText(request, reply, { streams, maxBufferBytes }, (options) =>
        generateInSession(services, request.params.id, request.body, options),
      ),
  );
  app.post(
    '/fork',
    {
      config: { scope: 'read' },
      schema: {
        tags: TAGS,
        summary: 'A second session that goes on from here by itself',
        params,
        response: withProblems({ 201: Session }),
      },
    },
    async ({ params: { id } }, reply) => {
      const session = forkSession(services, id);
      return reply.code(201).header('location', `/sessions/${session.id}`).send(session);
    },
  );
  app.get(
    '/state',
    {
      schema: {
        tags: TAGS,
        summary: 'All that a session is, to be kept elsewhere',
        params,
        response: withProblems({ 200: SessionState }),
      },
    },
    async ({ params: { id } }) => services.sessions.stateOf(id).state,
  );
}
