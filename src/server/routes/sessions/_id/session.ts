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
    { schema: { tags: TAGS, summary: 'Get a session', params, response: withProblems({ 200: Session }) } },
    async ({ params: { id } }) => services.sessions.get(id),
  );
  app.delete(
    '',
    {
      config: { scope: 'read' },
      schema: {
        tags: TAGS,
        summary: 'Delete a session',
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
        summary: 'Append text to a session',
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
        summary: 'Generate text in a session',
        description:
          'Like POST /generate; `prompt` is appended first. The session continues after the generated text, including a stop string. One request per session at a time.',
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
        summary: 'Fork a session',
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
        summary: 'Export the state of a session',
        params,
        response: withProblems({ 200: SessionState }),
      },
    },
    async ({ params: { id } }) => services.sessions.stateOf(id).state,
  );
}
