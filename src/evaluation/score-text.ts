import type { ScoreResult, TokenInspection } from '../contracts/generation.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { appError } from '../errors.js';
import type { LanguageModel, TokenBatch } from '../models/language-model.js';
import { bitsPerByte } from './evaluate.js';
import { assertInspectable, type InspectionRequest, inspectTokens } from './inspect-tokens.js';

/** Tokens read at once; bounds the memory that a long text needs. */
const BLOCK = 512;

/**
 * How surprised a model is by each token of a text, read from the beginning of a line on.
 * Takes the model's state and leaves it empty.
 * @param inspect also show what goes on inside
 * @throws corpus-too-short when the text has no token; config-conflict for what cannot be inspected
 */
export function scoreText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  text: string,
  inspect: InspectionRequest | null = null,
): ScoreResult {
  const { ids, starts, ends } = tokenizer.encodeWithOffsets(text);
  if (ids.length === 0) throw appError('corpus-too-short', { split: 'given', tokens: 0, least: 1, why: '' });
  if (inspect) assertInspectable(ids.length);
  const surprisals = new Float64Array(ids.length);
  const inside: TokenInspection[] = [];
  model.putState(null);
  try {
    for (const batch of blocksOf(ids, tokenizer.vocabulary.eosId)) {
      const read = inspect
        ? inspectTokens(model, tokenizer.vocabulary, batch, inspect)
        : { losses: model.losses(batch), tokens: [] };
      surprisals.set(read.losses, batch.start);
      inside.push(...read.tokens);
    }
  } finally {
    model.putState(null);
  }
  const loss = surprisals.reduce((sum, surprisal) => sum + surprisal, 0) / ids.length;
  return {
    perplexity: Math.exp(loss),
    bitsPerByte: bitsPerByte(loss, ids.length, Buffer.byteLength(text)),
    tokens: Array.from(ids, (id, index) => ({
      token: tokenizer.vocabulary.token(id),
      start: starts[index]!,
      end: ends[index]!,
      surprisal: surprisals[index]!,
      ...(inspect && { inside: inside[index]! }),
    })),
  };
}

/** Each id after those before it; the first one after the end of a line. */
function* blocksOf(ids: Int32Array, eosId: number): Generator<TokenBatch & { readonly start: number }> {
  const inputs = new Int32Array(ids.length);
  inputs[0] = eosId;
  inputs.set(ids.subarray(0, -1), 1);
  for (let start = 0; start < ids.length; start += BLOCK) {
    const targets = ids.slice(start, start + BLOCK);
    const time = targets.length;
    yield { inputs: inputs.slice(start, start + time), targets, time, batchSize: 1, start };
  }
}
