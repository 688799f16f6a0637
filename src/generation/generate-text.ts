import type { FinishReason, GenerationRequest } from '../contracts/generation.js';
import { type Tokenizer, unknownWords } from '../corpus/tokenizer.js';
import type { LanguageModel } from '../models/language-model.js';
import { RANDOM_STREAMS, RandomSource, uniform } from '../tensor/random.js';
import { sampleToken } from './sampling.js';

export interface GeneratedText {
  /** What follows the prompt: prompt + text reads as one. */
  readonly text: string;
  readonly tokens: number;
  readonly finishReason: FinishReason;
  /** Words of the prompt that the vocabulary does not have. */
  readonly unknownWords: readonly string[];
}

/** Tokens of a prompt that are read at once; bounds the memory that a long one needs. */
const PROMPT_BLOCK = 512;

/**
 * Writes text from a prompt. The same seed gives the same text.
 * @param request its seed must be set
 */
export function generateText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  request: GenerationRequest & { readonly seed: number },
): GeneratedText {
  const context = promptIds(tokenizer, request.prompt);
  const decoder = tokenizer.createDecoder();
  for (const id of context) decoder.push(id);

  let text = '';
  let tokens = 0;
  for (const id of generateTokens(model, tokenizer, context, request)) {
    tokens += 1;
    text += decoder.push(id);
    const end = firstStop(text, request.stop);
    if (end !== null) {
      return {
        text: text.slice(0, end),
        tokens,
        finishReason: 'stop',
        unknownWords: unknownWords(tokenizer, request.prompt),
      };
    }
  }
  text += decoder.end();
  return { text, tokens, finishReason: 'length', unknownWords: unknownWords(tokenizer, request.prompt) };
}

/** The ids that a model writes, one after another, at most `maxTokens`. Takes the model's state and leaves it empty. */
export function* generateTokens(
  model: LanguageModel,
  tokenizer: Tokenizer,
  context: Int32Array,
  request: GenerationRequest & { readonly seed: number },
): Generator<number> {
  const random = new RandomSource(request.seed, RANDOM_STREAMS.sampling);
  const seen = new Set(context);
  const { unknownId } = tokenizer.vocabulary;
  const banned = new Set(request.suppressUnknown && unknownId !== null ? [unknownId] : []);
  model.putState(null);
  try {
    readContext(model, context.subarray(0, -1));
    let last = context.at(-1)!;
    for (let count = 0; count < request.maxTokens; count++) {
      const logits = model.nextLogits(Int32Array.of(last));
      const values = logits.dataSync<'float32'>().slice();
      logits.dispose();
      last = sampleToken(values, request, uniform(1, random.next(), 0, 1)[0]!, seen, banned);
      seen.add(last);
      yield last;
    }
  } finally {
    model.putState(null);
  }
}

/** The tokens to go on from: those of the prompt, behind the end of a line, as if it began one. */
export function promptIds(tokenizer: Tokenizer, prompt: string): Int32Array {
  const prompted = tokenizer.encode(prompt);
  const ids = new Int32Array(prompted.length + 1);
  ids[0] = tokenizer.vocabulary.eosId;
  ids.set(prompted, 1);
  return ids;
}

function readContext(model: LanguageModel, ids: Int32Array): void {
  for (let start = 0; start < ids.length; start += PROMPT_BLOCK) {
    model.read(ids.subarray(start, start + PROMPT_BLOCK));
  }
}

/** Where the first stop string begins; null when there is none. */
function firstStop(text: string, stop: readonly string[]): number | null {
  const positions = stop.map((word) => text.indexOf(word)).filter((position) => position >= 0);
  return positions.length > 0 ? Math.min(...positions) : null;
}
