import { randomInt } from 'node:crypto';
import type { TrainedModel } from '../checkpoints/model-folder.js';
import type { GenerationResult } from '../contracts/generation.js';
import type { InferenceTask } from '../contracts/jobs.js';
import { appError } from '../errors.js';
import type { GenerationEngine } from '../generation/generation-engine.js';
import { TextWriting } from '../generation/text-writing.js';
import type { LanguageModel } from '../models/language-model.js';
import type { State } from '../models/state.js';
import type { TaskContext } from './task-context.js';

/** Writes a text, beside the others that the engine writes. */
export async function writeText(
  { model, tokenizer }: TrainedModel,
  engine: GenerationEngine,
  { request, model: { experimentId } }: Extract<InferenceTask, { type: 'generate' }>,
  { tell, isCancelled }: TaskContext,
): Promise<GenerationResult> {
  const seed = request.seed ?? randomInt(2 ** 32);
  const { from, keepsPoint } = request;
  const writing = new TextWriting(tokenizer, { ...request, seed, tail: from?.tail });
  const prompt = request.promptIds ? tokenizer.decode(request.promptIds) : request.prompt;
  const state = from?.state ? readState(from.state, model) : null;
  let kept: string | null = null;
  if (request.echo) tell?.({ text: prompt, tokens: 0 });
  const { logprobs, unknownWords, ...generated } = await engine.run(writing, {
    ...(tell && { onPart: tell }),
    isCancelled,
    state,
    ...(keepsPoint && {
      onState: (after) => {
        kept = writeState(after);
      },
    }),
  });
  return {
    experimentId,
    prompt,
    seed,
    ...generated,
    unknownWords: [...unknownWords],
    ...(logprobs && { logprobs: [...logprobs] }),
    ...(keepsPoint && { point: { state: kept, tail: [...writing.tail] } }),
  };
}

/** @throws session-invalid */
function readState(base64: string, model: LanguageModel): State {
  const bytes = Buffer.from(base64, 'base64');
  const numbers = new Float32Array(Math.floor(bytes.length / 4));
  new Uint8Array(numbers.buffer).set(bytes.subarray(0, numbers.byteLength));
  const empty = model.emptyState(1);
  const state = bytes.length % 4 === 0 ? empty.withNumbers(numbers) : null;
  empty.dispose();
  if (!state)
    throw appError('session-invalid', {
      reason: `it has ${bytes.length} bytes, or numbers that are not finite`,
    });
  return state;
}

function writeState(state: State): string {
  const { buffer } = state.toNumbers();
  state.dispose();
  return Buffer.from(buffer).toString('base64');
}
