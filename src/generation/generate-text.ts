import type { GenerationPart } from '../contracts/generation.js';
import type { LanguageModel } from '../models/language-model.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { type GeneratedText, type TextRequest, TextWriting } from './text-writing.js';
import { type TokenRequest, TokenSampler } from './token-sampler.js';
import { writeTokens } from './write-tokens.js';

/** Prompt tokens per block; limits memory, and the waiting time of others. */
export const PROMPT_BLOCK = 64;

/**
 * Generates text from a prompt. The same seed gives the same text.
 * @throws token-id-out-of-range for a prompt of ids
 */
export function generateText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  request: TextRequest,
): GeneratedText {
  const writing = streamText(model, tokenizer, request);
  for (;;) {
    const { done, value } = writing.next();
    if (done) return value;
  }
}

/**
 * {@link generateText} in pieces, as soon as each piece is final. The joined pieces are the text. Uses the state of the
 * model and resets it.
 * @param isCancelled checked before each token
 * @throws token-id-out-of-range for a prompt of ids
 */
export function* streamText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  request: TextRequest,
  isCancelled: () => boolean = () => false,
): Generator<GenerationPart, GeneratedText> {
  const writing = new TextWriting(tokenizer, request);
  if (isCancelled())
    writing.cancel(); // before reading the prompt
  else {
    model.putState(null);
    try {
      readContext(model, writing.context.subarray(0, -1));
      while (!writing.isFinished) {
        const part = writeTokens([writing], model)[0]!;
        if (part) yield part;
        if (isCancelled()) writing.cancel();
      }
    } finally {
      model.putState(null);
    }
  }
  const { part, result } = writing.finish();
  if (part) yield part;
  return result;
}

/** Generates ids one by one, at most `maxTokens`. Uses the state of the model and resets it. */
export function* generateTokens(
  model: LanguageModel,
  tokenizer: Tokenizer,
  context: Int32Array,
  request: TokenRequest,
): Generator<number> {
  const sampler = new TokenSampler(request, context, tokenizer.vocabulary.unknownId);
  model.putState(null);
  try {
    readContext(model, context.subarray(0, -1));
    let last = context.at(-1)!;
    for (let count = 0; count < request.maxTokens; count++) {
      last = sampler.draw(nextLogits(model, last)).id;
      yield last;
    }
  } finally {
    model.putState(null);
  }
}

/** A copy of the logits of one stream, [V]. */
function nextLogits(model: LanguageModel, id: number): Float32Array {
  const logits = model.nextLogits(Int32Array.of(id));
  const values = logits.dataSync<'float32'>().slice();
  logits.dispose();
  return values;
}

function readContext(model: LanguageModel, ids: Int32Array): void {
  for (let start = 0; start < ids.length; start += PROMPT_BLOCK) {
    model.read(ids.subarray(start, start + PROMPT_BLOCK));
  }
}
