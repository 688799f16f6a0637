import type { FastifyReply, FastifyRequest } from 'fastify';
import { recognizeError, toProblem } from '../problem.js';
import type { TextStream } from './text-stream.js';

/**
 * Streams a long response as events: the parts that `run` reports as events of type `event`, then `done` with the result, or `error`
 * with a problem. An error before the first event is answered like any other error.
 */
export async function answerEvents<Part>(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: TextStream,
  event: string,
  run: (options: { onPart: (part: Part) => void; signal: AbortSignal }) => Promise<unknown>,
): Promise<FastifyReply> {
  try {
    const onPart = (part: Part) => answer.send(JSON.stringify(part), event);
    answer.send(JSON.stringify(await run({ onPart, signal: answer.signal })), 'done');
  } catch (error) {
    if (!answer.hasBegun) throw error;
    answer.send(JSON.stringify(toProblem(recognizeError(error, request), request.url)), 'error');
  } finally {
    answer.end();
  }
  return reply;
}
