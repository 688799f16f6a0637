import type {
  FinishReason,
  GenerationPart,
  GenerationRequest,
  TokenLogprob,
} from '../contracts/generation.js';
import { type Tokenizer, unknownWords } from '../corpus/tokenizer.js';
import type { LanguageModel } from '../models/language-model.js';
import { RANDOM_STREAMS, RandomSource, uniform } from '../tensor/random.js';
import { type Logprobs, logprobsOf } from './logprobs.js';
import { type SamplingOptions, sampleToken } from './sampling.js';
import { findStop, shownLength } from './stop-strings.js';

export interface GeneratedText {
  /** What follows the prompt: prompt + text reads as one. */
  readonly text: string;
  readonly tokens: number;
  readonly promptTokens: number;
  readonly finishReason: FinishReason;
  /** Words of the prompt that the vocabulary does not have. */
  readonly unknownWords: readonly string[];
  /** When they were asked for: of the tokens that begin in the text. */
  readonly logprobs?: readonly TokenLogprob[];
}

/** Tokens of a prompt that are read at once; bounds the memory that a long one needs. */
const PROMPT_BLOCK = 512;

/** How a text is drawn, beyond what sampling needs; the last ones may be left out. */
export type TextRequest = Omit<GenerationRequest, 'seed' | 'presencePenalty' | 'frequencyPenalty'> &
  Pick<TokenRequest, 'presencePenalty' | 'frequencyPenalty' | 'logprobs' | 'logitBias'> & {
    readonly seed: number;
    /** Token ids to go on from, instead of the prompt. */
    readonly promptIds?: readonly number[] | undefined;
  };

/**
 * Writes text from a prompt. The same seed gives the same text.
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
 * {@link generateText} piece by piece, as the text is certain: what may be the beginning of a stop string is held back.
 * The pieces, joined, are the text.
 * @param isCancelled asked before each token
 * @throws token-id-out-of-range for a prompt of ids
 */
export function* streamText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  request: TextRequest,
  isCancelled: () => boolean = () => false,
): Generator<GenerationPart, GeneratedText> {
  const { stop } = request;
  const context = contextOf(tokenizer, request);
  const decoder = tokenizer.createDecoder();
  for (const id of context) decoder.push(id);

  let text = '';
  let shown = 0;
  let tokens = 0;
  let finishReason: FinishReason = 'length';
  const logprobs: TokenLogprob[] = [];
  let shownLogprobs = 0;

  function part(end: number): GenerationPart {
    const piece = text.slice(shown, end);
    shown = Math.max(shown, end);
    if (request.logprobs === undefined) return { text: piece, tokens };
    const isShown = ({ start }: TokenLogprob) => start < end;
    const upTo = logprobs.findLastIndex(isShown) + 1;
    const pieces = logprobs.slice(shownLogprobs, upTo);
    shownLogprobs = Math.max(shownLogprobs, upTo);
    return { text: piece, tokens, logprobs: pieces };
  }

  const isTooLate = isCancelled(); // before the prompt is read
  if (isTooLate) finishReason = 'cancelled';
  for (const { id, logprobs: ofStep } of isTooLate ? [] : generateSteps(model, tokenizer, context, request)) {
    const checked = text.length;
    const token = decoder.push(id);
    tokens += 1;
    text += token;
    if (ofStep) logprobs.push(describeLogprobs(tokenizer, token, checked, ofStep));
    const end = findStop(text, stop, checked);
    if (end !== null) {
      text = text.slice(0, end);
      finishReason = 'stop';
      break;
    }
    const certain = shownLength(text, stop);
    if (certain > shown) yield part(certain);
    if (isCancelled()) {
      finishReason = 'cancelled';
      break;
    }
  }
  if (finishReason !== 'stop') text += decoder.end();
  const rest = part(text.length);
  if (rest.text !== '' || rest.logprobs?.length) yield rest;
  return {
    text,
    tokens,
    promptTokens: context.length - 1,
    finishReason,
    unknownWords: request.promptIds ? [] : unknownWords(tokenizer, request.prompt),
    ...(request.logprobs !== undefined && { logprobs: logprobs.slice(0, shownLogprobs) }),
  };
}

/** How tokens are drawn. */
export interface TokenRequest extends SamplingOptions {
  readonly seed: number;
  readonly maxTokens: number;
  readonly suppressUnknown: boolean;
  /** Taken from the logit of a token that was written already, once and for each time. */
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  /** Added to the logits of these ids. */
  readonly logitBias?: Readonly<Record<string, number>> | undefined;
  /** Log probabilities of each token, and of so many others. */
  readonly logprobs?: number | undefined;
}

/** The ids that a model writes, one after another, at most `maxTokens`. Takes the model's state and leaves it empty. */
export function* generateTokens(
  model: LanguageModel,
  tokenizer: Tokenizer,
  context: Int32Array,
  request: TokenRequest,
): Generator<number> {
  for (const { id } of generateSteps(model, tokenizer, context, request)) yield id;
}

function* generateSteps(
  model: LanguageModel,
  tokenizer: Tokenizer,
  context: Int32Array,
  request: TokenRequest,
): Generator<{ readonly id: number; readonly logprobs: Logprobs | null }> {
  const random = new RandomSource(request.seed, RANDOM_STREAMS.sampling);
  const seen = new Set(context);
  const written = new Map<number, number>();
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
      const original = request.logprobs === undefined ? null : values.slice();
      adjust(values, written, request);
      last = sampleToken(values, request, uniform(1, random.next(), 0, 1)[0]!, seen, banned);
      seen.add(last);
      written.set(last, (written.get(last) ?? 0) + 1);
      yield { id: last, logprobs: original && logprobsOf(original, last, request.logprobs ?? 0) };
    }
  } finally {
    model.putState(null);
  }
}

/** Adds biases and takes penalties, in place. */
function adjust(
  logits: Float32Array,
  written: ReadonlyMap<number, number>,
  { presencePenalty = 0, frequencyPenalty = 0, logitBias = {} }: TokenRequest,
): void {
  for (const [id, bias] of Object.entries(logitBias))
    if (Number(id) < logits.length) logits[Number(id)]! += bias;
  if (presencePenalty === 0 && frequencyPenalty === 0) return;
  for (const [id, times] of written) logits[id]! -= presencePenalty + frequencyPenalty * times;
}

function describeLogprobs(
  { vocabulary }: Tokenizer,
  token: string,
  start: number,
  { chosen, top }: Logprobs,
): TokenLogprob {
  const named = top.map(([id, logprob]) => [vocabulary.token(id), logprob] as const);
  return { token, start, logprob: chosen, top: Object.fromEntries(named) };
}

function contextOf(tokenizer: Tokenizer, { prompt, promptIds: ids }: TextRequest): Int32Array {
  if (!ids) return promptIds(tokenizer, prompt);
  for (const id of ids) tokenizer.vocabulary.token(id);
  return Int32Array.of(tokenizer.vocabulary.eosId, ...ids);
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
