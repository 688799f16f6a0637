/** What is asked of trained models. */
import type {
  GenerationAnswer,
  GenerationPart,
  GenerationRequest,
} from '../../../src/contracts/generation.js';
import type { ScoreResult } from '../../../src/contracts/score.js';
import type { Session } from '../../../src/contracts/session.js';
import { eventStreamReader } from '../../logic/event-stream.js';
import { type Problem, ProblemError, UnreachableError } from './problem.js';
import { request, send } from './request.js';

/** @param experiment null = the best one */
export function createSession(
  experiment: string | null,
  prompt: string,
  signal: AbortSignal,
): Promise<Session> {
  return request('/sessions', {
    method: 'POST',
    body: { ...(experiment !== null && { experiment }), prompt },
    signal,
  });
}

export function deleteSession(id: string): Promise<void> {
  return request(`/sessions/${id}`, { method: 'DELETE' });
}

/** Writes on in a session, and gives each piece as it comes. */
export async function writeInSession(
  id: string,
  body: Partial<GenerationRequest>,
  onPart: (part: GenerationPart) => void,
  signal: AbortSignal,
): Promise<GenerationAnswer> {
  const headers = { accept: 'text/event-stream' };
  const response = await send(`/sessions/${id}/generate`, { method: 'POST', body, headers, signal });
  const read = eventStreamReader();
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new UnreachableError('the stream ended early');
    for (const { event, data } of read(value)) {
      if (event === 'text') onPart(JSON.parse(data) as GenerationPart);
      if (event === 'done') return JSON.parse(data) as GenerationAnswer;
      if (event === 'error') throw new ProblemError(JSON.parse(data) as Problem);
    }
  }
}

export interface InspectRequest {
  readonly experiment: string | null;
  readonly text: string;
  readonly alternatives?: number;
  readonly units?: readonly { readonly layer: number; readonly unit: number }[];
  readonly ablate?: readonly { readonly layer: number; readonly units: readonly number[] }[];
}

/** Each token of a text: how surprising it was, and what went on inside. */
export function inspect({ experiment, ...body }: InspectRequest, signal?: AbortSignal): Promise<ScoreResult> {
  const asked = { ...(experiment !== null && { experiment }), ...body };
  return request('/score?inspect=true', { method: 'POST', body: asked, signal });
}
