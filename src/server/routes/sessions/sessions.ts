import { z } from 'zod';
import {
  CreateSessionBody,
  FeedBody,
  Session,
  SessionGenerateBody,
  SessionParams,
  SessionState,
} from '../../../contracts/session.js';
import type { Services } from '../../../experiments/services.js';
import {
  createSession,
  feedSession,
  forkSession,
  generateInSession,
} from '../../../experiments/use-sessions.js';
import type { HttpApp } from '../../http-app.js';
import { withProblems } from '../../problem.js';
import type { StreamRegistry } from '../../streams/stream-registry.js';
import { answerText, TEXT_RESPONSES } from '../../streams/text-answer.js';

const TAGS = ['sessions'];

/** /sessions: texts that go on from request to request; a token costs the same however long the text is. */
export function routeSessions(app: HttpApp, services: Services, streams: StreamRegistry): void {
  const { sessions } = services;
  const { maxStreamBufferBytes: maxBufferBytes } = services.environment;
  const params = SessionParams;

  app.post(
    '/sessions',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: TAGS,
        summary: 'Begin a text that goes on from request to request',
        description:
          'The server keeps what the model remembers of it: one vector a layer, whatever the length. With `state`, as GET /sessions/{id}/state gave it, a session is brought back.',
        body: CreateSessionBody.meta({ examples: [{ prompt: 'the old man said' }] }),
        response: withProblems({ 201: Session }),
      },
    },
    async ({ body }, reply) => {
      const session = await createSession(services, body);
      return reply.code(201).header('location', `/sessions/${session.id}`).send(session);
    },
  );
  app.get(
    '/sessions/:id',
    { schema: { tags: TAGS, summary: 'One session', params, response: withProblems({ 200: Session }) } },
    async ({ params: { id } }) => sessions.get(id),
  );
  app.delete(
    '/sessions/:id',
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
      sessions.delete(id);
      return reply.code(204).send();
    },
  );
  app.post(
    '/sessions/:id/feed',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: TAGS,
        summary: 'Let a session read on',
        params,
        body: FeedBody.meta({ examples: [{ text: 'and then he went home' }] }),
        response: withProblems({ 200: Session }),
      },
    },
    async ({ params: { id }, body: { text } }) => feedSession(services, id, text),
  );
  app.post(
    '/sessions/:id/generate',
    {
      config: { scope: 'read', costs: 'inference' },
      schema: {
        tags: TAGS,
        summary: 'Let a session write on',
        description:
          'As POST /generate; `prompt` is read first. The session goes on behind what was written, a stop string included. One request of a session at a time.',
        params,
        body: SessionGenerateBody.meta({ examples: [{ maxTokens: 50, temperature: 0.8, seed: 1 }] }),
        response: TEXT_RESPONSES,
      },
    },
    async (request, reply) =>
      answerText(request, reply, { streams, maxBufferBytes }, (options) =>
        generateInSession(services, request.params.id, request.body, options),
      ),
  );
  app.post(
    '/sessions/:id/fork',
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
    '/sessions/:id/state',
    {
      schema: {
        tags: TAGS,
        summary: 'All that a session is, to be kept elsewhere',
        params,
        response: withProblems({ 200: SessionState }),
      },
    },
    async ({ params: { id } }) => sessions.stateOf(id).state,
  );
}
