import { perplexityOf } from '../contracts/figures.js';
import type { RankRequest, RankResult } from '../contracts/score.js';
import { appError } from '../errors.js';
import type { LanguageModel, TokenBatch } from '../models/language-model.js';
import { SeparateState } from '../models/separate-state.js';
import type { EncodedText, Tokenizer } from '../tokenizers/tokenizer.js';
import { UnknownWordCoder } from '../tokenizers/unknown-word-coder.js';
import { EvaluationCount, type Stepwise } from './stepwise.js';

/** Tokens per block; limits memory. Does not affect the result. */
const BLOCK = 128;

type Ranked = RankResult['items'][number];

/** A prompt followed by an alternative. */
interface Candidate extends EncodedText {
  readonly index: number;
  readonly alternative: string;
  /** Index of the first token of the alternative. */
  readonly first: number;
  /** Unknown words of the alternative, in order. */
  readonly unknownWords: readonly string[];
  /** Cost of spelling them, in nats. */
  readonly spelling: number;
}

/**
 * Ranks alternatives by their probability after a prompt that starts a line; the likeliest first. A token that begins in the
 * prompt and ends in the alternative belongs to the alternative. The common prefix of all texts is
 * read once.
 * @throws config-conflict for an alternative without a token; corpus-not-text for a lone surrogate
 */
export function* rankAlternatives(
  model: LanguageModel,
  tokenizer: Tokenizer,
  { prompt, alternatives, by }: RankRequest,
): Stepwise<RankResult> {
  const candidates = alternatives.map((_, index) => encodeCandidate(tokenizer, prompt, alternatives, index));
  const shared = commonLength(candidates);
  const { eosId } = tokenizer.vocabulary;
  const count = new EvaluationCount(
    'evaluation',
    candidates.reduce((total, { ids }) => total + ids.length, 0),
  );
  const beginning = new SeparateState(model, model.emptyState(1));
  const ranked: Ranked[] = [];
  try {
    const start = inputsOf(candidates[0]!.ids, eosId).subarray(0, shared);
    for (let at = 0; at < shared; at += BLOCK) {
      beginning.use(() => model.read(start.subarray(at, at + BLOCK)));
      yield count.progress;
    }
    for (const candidate of candidates) {
      const losses = new Float32Array(candidate.ids.length); // zero for the shared tokens
      const state = beginning.copy();
      try {
        for (const { start: at, ...batch } of blocksFrom(shared, candidate.ids, eosId)) {
          const read = state.use(() => model.losses(batch));
          losses.set(read, at);
          count.add(read);
          yield count.progress;
        }
      } finally {
        state.dispose();
      }
      ranked.push(describe(candidate, losses.subarray(candidate.first)));
    }
  } finally {
    beginning.dispose();
  }
  const value = (item: Ranked) => item.logprob / UNITS[by](item);
  return { items: withShares(ranked).sort((a, b) => value(b) - value(a) || a.index - b.index) };
}

/** Divisor of the log probability. */
const UNITS: Readonly<Record<RankRequest['by'], (item: Ranked) => number>> = {
  total: () => 1,
  token: ({ tokens }) => tokens,
  byte: ({ alternative }) => Buffer.byteLength(alternative),
};

function encodeCandidate(
  tokenizer: Tokenizer,
  prompt: string,
  alternatives: readonly string[],
  index: number,
): Candidate {
  const alternative = alternatives[index]!;
  const encoded = tokenizer.encodeWithOffsets(prompt + alternative);
  const promptBytes = Buffer.byteLength(prompt);
  const first = encoded.ends.findIndex((end) => end > promptBytes);
  if (first < 0)
    throw appError('config-conflict', { field: `alternatives.${index}`, reason: 'it has no token' });
  const bytes = Buffer.from(prompt + alternative);
  const coder = new UnknownWordCoder();
  const words: string[] = [];
  let spelling = 0;
  encoded.ids.forEach((id, at) => {
    if (id !== tokenizer.vocabulary.unknownId) return;
    const word = bytes.toString('utf8', encoded.starts[at], encoded.ends[at]);
    const charge = coder.charge(word); // unknown words of the prompt update the coder too
    if (at < first) return;
    spelling += charge;
    words.push(word);
  });
  return { ...encoded, index, alternative, first, unknownWords: [...new Set(words)], spelling };
}

/** Number of prompt tokens that all candidates share. */
function commonLength(candidates: readonly Candidate[]): number {
  const maxLength = Math.min(...candidates.map(({ first }) => first));
  const [{ ids }] = candidates as [Candidate];
  for (let at = 0; at < maxLength; at++) if (candidates.some((other) => other.ids[at] !== ids[at])) return at;
  return maxLength;
}

/** The input that precedes each id. */
function inputsOf(ids: Int32Array, eosId: number): Int32Array {
  const inputs = new Int32Array(ids.length);
  inputs[0] = eosId;
  inputs.set(ids.subarray(0, -1), 1);
  return inputs;
}

function* blocksFrom(
  first: number,
  ids: Int32Array,
  eosId: number,
): Generator<TokenBatch & { readonly start: number }> {
  const inputs = inputsOf(ids, eosId);
  for (let start = first; start < ids.length; start += BLOCK) {
    const targets = ids.slice(start, start + BLOCK);
    const time = targets.length;
    yield { inputs: inputs.slice(start, start + time), targets, time, batchSize: 1, start };
  }
}

function describe({ index, alternative, unknownWords, spelling }: Candidate, losses: Float32Array): Ranked {
  let loss = 0;
  for (const each of losses) loss += each;
  const tokens = losses.length;
  const nats = loss + spelling;
  return {
    index,
    alternative,
    logprob: -nats,
    unknownWords: [...unknownWords],
    tokens,
    perplexity: perplexityOf(nats / tokens),
    share: 0,
  };
}

function withShares(items: readonly Ranked[]): Ranked[] {
  const largest = Math.max(...items.map(({ logprob }) => logprob));
  const weights = items.map(({ logprob }) => Math.exp(logprob - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return items.map((item, index) => ({ ...item, share: weights[index]! / total }));
}
