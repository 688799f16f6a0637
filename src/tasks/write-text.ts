import { randomInt } from 'node:crypto';
import type { TrainedModel } from '../checkpoints/model-folder.js';
import type { GenerationResult, TokenLogprob } from '../contracts/generation.js';
import type { InferenceTask } from '../contracts/jobs.js';
import { appError } from '../errors.js';
import { runCooperatively } from '../evaluation/cooperative-scheduler.js';
import type { GenerationEngine } from '../generation/generation-engine.js';
import { promptLogprobs } from '../generation/prompt-logprobs.js';
import { TextWriting } from '../generation/text-writing.js';
import type { LanguageModel } from '../models/language-model.js';
import type { State } from '../models/state.js';
import type { Turn } from './read-text.js';

/** Generates a text, in the batch of the engine. */
export async function writeText(
  { model, tokenizer }: TrainedModel,
  engine: GenerationEngine,
  { request, model: { experimentId } }: Extract<InferenceTask, { type: 'generate' }>,
  { tell, isCancelled, othersWait }: Turn,
): Promise<GenerationResult> {
  const seed = request.seed ?? randomInt(2 ** 32);
  const { from, keepsPoint } = request;
  const writing = new TextWriting(tokenizer, {
    ...request,
    seed,
    tail: from?.tail,
    isAfterSpace: from?.endsWithSpace,
  });
  const prompt = request.promptIds ? tokenizer.decode(request.promptIds) : request.prompt;
  const state = from?.state ? readState(from.state, model) : null;
  let kept: string | null = null;
  const echoed =
    request.echo && request.logprobs !== undefined
      ? await runCooperatively(
          promptLogprobs(model, tokenizer, request.promptIds ?? prompt, request.logprobs),
          { isCancelled, othersWait },
        )
      : null;
  if (request.echo) tell?.({ text: prompt, tokens: 0, ...(echoed && { logprobs: echoed }) });
  const offsetByPrompt = (written: readonly TokenLogprob[]) =>
    echoed ? written.map((token) => ({ ...token, start: token.start + prompt.length })) : [...written];
  const { logprobs, unknownWords, ...generated } = await engine.run(writing, {
    ...(tell && {
      onPart: (part) => tell(part.logprobs ? { ...part, logprobs: offsetByPrompt(part.logprobs) } : part),
    }),
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
    ...(logprobs && { logprobs: [...(echoed ?? []), ...offsetByPrompt(logprobs)] }),
    ...(keepsPoint && {
      point: { state: kept, tail: [...writing.tail], endsWithSpace: writing.endsWithSpace },
    }),
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
