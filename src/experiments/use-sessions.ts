import type { RunOptions } from '../compute/inference-executor.js';
import {
  type GenerationAnswer,
  type GenerationResult,
  GenerationTaskRequest,
  type TextPoint,
} from '../contracts/generation.js';
import type { ModelReference } from '../contracts/jobs.js';
import type { CreateSessionBody, Session, SessionGenerateBody, SessionState } from '../contracts/session.js';
import { appError } from '../errors.js';
import type { Sessions } from './sessions.js';
import { generate, type ModelDependencies, modelOf } from './use-model.js';

export interface SessionDependencies extends ModelDependencies {
  readonly sessions: Sessions;
}

/**
 * Starts a session, or restores an exported one.
 * @throws queue-full, session-stale, session-invalid, and as {@link modelOf} and {@link generate}
 */
export async function createSession(
  dependencies: SessionDependencies,
  { experiment, prompt, state }: CreateSessionBody,
): Promise<Session> {
  const { sessions } = dependencies;
  sessions.assertRoom();
  const model = modelOf(dependencies, experiment);
  if (state) assertSameWeights(model, state);
  const read = await continueText(dependencies, model, { prompt, maxTokens: 0 }, state ?? null);
  return sessions.create(model.experimentId, read.state);
}

/**
 * Appends text to a session.
 * @throws session-not-found, session-busy, session-stale, and as {@link modelOf} and {@link generate}
 */
export async function feedSession(
  dependencies: SessionDependencies,
  id: string,
  text: string,
): Promise<Session> {
  await advance(dependencies, id, { prompt: text, maxTokens: 0 });
  return dependencies.sessions.get(id);
}

/**
 * Generates text in a session, after appending its prompt, if any.
 * @throws session-not-found, session-busy, session-stale, and as {@link modelOf} and {@link generate}
 */
export async function generateInSession(
  dependencies: SessionDependencies,
  id: string,
  request: SessionGenerateBody,
  options: RunOptions = {},
): Promise<GenerationAnswer> {
  const { point: _, ...result } = await advance(dependencies, id, request, options);
  return result;
}

/** Creates an independent copy of a session. @throws session-not-found, queue-full */
export function forkSession({ sessions }: SessionDependencies, id: string): Session {
  const { experimentId, state } = sessions.stateOf(id);
  return sessions.create(experimentId, state);
}

function advance(
  dependencies: SessionDependencies,
  id: string,
  request: Partial<GenerationTaskRequest>,
  options: RunOptions = {},
): Promise<GenerationResult> {
  return dependencies.sessions.use(id, async ({ experimentId, state }) => {
    const model = modelOf(dependencies, experimentId);
    assertSameWeights(model, state);
    return continueText(dependencies, model, request, state, options);
  });
}

async function continueText(
  dependencies: SessionDependencies,
  model: ModelReference,
  request: Partial<GenerationTaskRequest>,
  before: SessionState | null,
  options: RunOptions = {},
): Promise<{ state: SessionState; result: GenerationResult }> {
  const task = GenerationTaskRequest.parse({ ...request, from: before?.point, keepsPoint: true });
  const result = await generate(dependencies, model, task, options);
  const tokens = (before?.tokens ?? 0) + result.promptTokens + result.tokens;
  const point = result.point as TextPoint; // requested with keepsPoint
  return { state: { digest: model.digest, tokens, point }, result };
}

function assertSameWeights(
  { experimentId, digest }: ModelReference,
  { digest: expected }: SessionState,
): void {
  if (digest !== expected)
    throw appError('session-stale', { experiment: experimentId, expected, actual: digest });
}
