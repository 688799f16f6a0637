import type { InferencePartOf, RunOptions } from '../compute/inference-executor.js';
import type { InferenceTask } from '../contracts/jobs.js';
import type { ScoredToken, ScoreStreamRequest, ScoreSummary } from '../contracts/score.js';
import { TextReader } from '../corpora/text-bytes.js';
import { AppError, appError } from '../errors.js';
import { type ModelDependencies, modelOf } from './use-model.js';

type StreamTask = Extract<InferenceTask, { type: 'score-stream' }>;

export interface ScoreStreamOptions {
  /** The text, UTF-8; read no faster than it is scored. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Called with the next tokens, in order; the text is not read further until it has resolved. */
  readonly onTokens: (tokens: readonly ScoredToken[]) => Promise<void>;
  readonly signal: AbortSignal;
  /** Maximum wait for the next bytes. */
  readonly idleMs: number;
}

/**
 * Scores each token of a text of any length while it is received.
 * @throws corpus-not-text, deadline-exceeded, cancelled if the input breaks off, as {@link modelOf}, and what the
 * executor throws
 */
export async function scoreStream(
  dependencies: ModelDependencies,
  id: string | undefined,
  request: ScoreStreamRequest,
  { bytes, onTokens, signal, idleMs }: ScoreStreamOptions,
): Promise<ScoreSummary> {
  const model = modelOf(dependencies, id);
  const { executor } = dependencies;
  const input = readText(bytes, idleMs);
  let written = Promise.resolve();
  const options: RunOptions<InferencePartOf<StreamTask>> = {
    input,
    signal,
    onPart: ({ tokens }) => {
      if (tokens.length > 0) written = onTokens(tokens);
      return written;
    },
  };
  try {
    return await executor.run({ type: 'score-stream', model, request }, options);
  } finally {
    void input.return(undefined).catch(() => {}); // closes the source
  }
}

async function* readText(
  bytes: AsyncIterable<Uint8Array>,
  idleMs: number,
): AsyncGenerator<string, undefined, undefined> {
  const reader = new TextReader();
  const chunks = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await nextChunk(chunks, idleMs);
      if (next.done) break;
      yield reader.push(next.value);
    }
    yield reader.end();
  } catch (error) {
    throw error instanceof AppError ? error : appError('cancelled', {}, error);
  } finally {
    void chunks.return?.();
  }
  return undefined;
}

async function nextChunk(
  chunks: AsyncIterator<Uint8Array>,
  idleMs: number,
): Promise<IteratorResult<Uint8Array>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const give = () => reject(appError('deadline-exceeded', { what: 'The next bytes', limitMs: idleMs }));
    timer = setTimeout(give, idleMs);
  });
  try {
    return await Promise.race([chunks.next(), late]);
  } finally {
    clearTimeout(timer);
  }
}
