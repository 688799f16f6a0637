import type { ScoreResult } from '../contracts/generation.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { appError } from '../errors.js';
import type { LanguageModel } from '../models/language-model.js';
import { bitsPerByte } from './evaluate.js';

/** Tokens read at once; bounds the memory that a long text needs. */
const BLOCK = 512;

/**
 * How surprised a model is by each token of a text, read from the beginning of a line on.
 * Takes the model's state and leaves it empty.
 * @throws corpus-too-short when the text has no token
 */
export function scoreText(model: LanguageModel, tokenizer: Tokenizer, text: string): ScoreResult {
  const { ids, starts, ends } = tokenizer.encodeWithOffsets(text);
  if (ids.length === 0) throw appError('corpus-too-short', { split: 'given', tokens: 0, least: 1, why: '' });
  const surprisals = readSurprisals(model, tokenizer.vocabulary.eosId, ids);
  const loss = surprisals.reduce((sum, surprisal) => sum + surprisal, 0) / ids.length;
  return {
    perplexity: Math.exp(loss),
    bitsPerByte: bitsPerByte(loss, ids.length, Buffer.byteLength(text)),
    tokens: Array.from(ids, (id, index) => ({
      token: tokenizer.vocabulary.token(id),
      start: starts[index]!,
      end: ends[index]!,
      surprisal: surprisals[index]!,
    })),
  };
}

/** -ln p of each id after those before it, in nats; the first one after the end of a line. */
function readSurprisals(model: LanguageModel, eosId: number, ids: Int32Array): Float64Array {
  const surprisals = new Float64Array(ids.length);
  const inputs = new Int32Array(ids.length);
  inputs[0] = eosId;
  inputs.set(ids.subarray(0, -1), 1);
  model.putState(null);
  for (let start = 0; start < ids.length; start += BLOCK) {
    const targets = ids.slice(start, start + BLOCK);
    const batch = {
      inputs: inputs.slice(start, start + targets.length),
      targets,
      time: targets.length,
      batchSize: 1,
    };
    surprisals.set(model.losses(batch), start);
  }
  model.putState(null);
  return surprisals;
}
