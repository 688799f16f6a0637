import type { FastifyReply, FastifyRequest } from 'fastify';
import { exampleOf, textLike } from '../../contracts/example-of.js';
import { GenerationAnswer } from '../../contracts/generation.js';
import type { RunOptions } from '../../experiments/use-model.js';
import { preferredType } from '../accept.js';
import { eventText } from '../event-text.js';
import { withProblems } from '../problem.js';
import { answerEvents } from './answer-events.js';
import { clientSignal } from './client-signal.js';
import type { StreamRegistry } from './stream-registry.js';
import { EVENT_STREAM, TextStream } from './text-stream.js';

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain';
const EXAMPLE = exampleOf(GenerationAnswer);

/** The responses of {@link answerText}, for the schema of a route. */
export const TEXT_RESPONSES = withProblems({
  200: {
    description: 'The generated text',
    content: {
      [JSON_TYPE]: { schema: GenerationAnswer },
      [TEXT_TYPE]: { schema: textLike(EXAMPLE.prompt + EXAMPLE.text) },
      [EVENT_STREAM]: {
        schema: textLike(eventText('text', { text: ' company', tokens: 1 }) + eventText('done', EXAMPLE)),
      },
    },
  },
});

/** Answers with a text in the format of the Accept header: JSON, plain text, or events while it is generated. */
export async function answerText(
  request: FastifyRequest,
  reply: FastifyReply,
  { streams, maxBufferBytes }: { readonly streams: StreamRegistry; readonly maxBufferBytes: number },
  write: (options: RunOptions) => Promise<GenerationAnswer>,
): Promise<FastifyReply> {
  const type = preferredType(request.headers.accept, [JSON_TYPE, TEXT_TYPE, EVENT_STREAM]);
  if (type === EVENT_STREAM)
    return answerEvents(request, reply, new TextStream(reply, streams, maxBufferBytes), 'text', write);
  const result = await write({ signal: clientSignal(reply) });
  if (type === JSON_TYPE) return reply.type(JSON_TYPE).send(result);
  const texts = (result.choices ?? [result]).map(({ text }) => `${result.prompt}${text}`);
  return reply.type(`${TEXT_TYPE}; charset=utf-8`).send(texts.join('\n\n'));
}
