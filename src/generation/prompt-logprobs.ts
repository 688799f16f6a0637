import type { TokenLogprob } from '../contracts/generation.js';
import type { LanguageModel } from '../models/language-model.js';
import { SeparateState } from '../models/separate-state.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { logprobsOf, nameLogprobs } from './logprobs.js';

/** Tokens per block; limits memory for logits. */
const BLOCK = 128;

/**
 * Log probabilities of each token of a prompt, with the likeliest alternatives, as in the echo of OpenAI's API: the first
 * token has none. The joined texts of all tokens are the prompt. The state of the model is unchanged afterwards.
 * @param prompt a text, or token ids
 * @param count number of likeliest tokens
 */
export function* promptLogprobs(
  model: LanguageModel,
  tokenizer: Tokenizer,
  prompt: string | readonly number[],
  count: number,
): Generator<undefined, TokenLogprob[], undefined> {
  const { ids, pieces } = piecesOf(tokenizer, prompt);
  const decoder = tokenizer.createDecoder();
  decoder.push(tokenizer.vocabulary.eosId);
  const state = new SeparateState(model);
  const described: TokenLogprob[] = [];
  let start = 0;
  try {
    for (let at = 0; at < ids.length; at += BLOCK) {
      const targets = ids.slice(at, at + BLOCK);
      const inputs = Int32Array.of(
        at === 0 ? tokenizer.vocabulary.eosId : ids[at - 1]!,
        ...targets.slice(0, -1),
      );
      const rows = readLogits(state, model, inputs, targets);
      for (const [row, id] of targets.entries()) {
        const token = pieces[at + row]!;
        const read = (other: number) => (other === id ? token : decoder.peek(other));
        const named = nameLogprobs(logprobsOf(rows[row]!, id, count), id, read);
        described.push(
          described.length === 0 ? { token, start, logprob: null, top: null } : { ...named, start },
        );
        decoder.push(id);
        start += token.length;
      }
      yield;
    }
    return described;
  } finally {
    state.dispose();
  }
}

/** The logits of each token, [V] each. */
function readLogits(
  state: SeparateState,
  model: LanguageModel,
  inputs: Int32Array,
  targets: Int32Array,
): Float32Array[] {
  const { logits, layers } = state.use(() =>
    model.inspect({ inputs, targets, time: targets.length, batchSize: 1 }),
  );
  const values = logits.dataSync<'float32'>();
  logits.dispose();
  for (const layer of layers) for (const tensor of Object.values(layer)) tensor.dispose();
  const size = values.length / targets.length;
  return Array.from(targets, (_, row) => values.subarray(row * size, (row + 1) * size));
}

/** The tokens of a prompt with their texts in context: including white space before it, and after the last one. */
function piecesOf(
  tokenizer: Tokenizer,
  prompt: string | readonly number[],
): { ids: Int32Array; pieces: string[] } {
  if (typeof prompt !== 'string') {
    const decoder = tokenizer.createDecoder();
    const pieces = prompt.map((id) => decoder.push(id));
    if (pieces.length > 0) pieces[pieces.length - 1] += decoder.end();
    return { ids: Int32Array.from(prompt), pieces };
  }
  const { ids, ends } = tokenizer.encodeWithOffsets(prompt);
  const bytes = Buffer.from(prompt);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let start = 0;
  const pieces = Array.from(ends, (end, index) => {
    const piece = bytes.subarray(start, index === ids.length - 1 ? bytes.length : end);
    start = Math.max(start, end);
    return decoder.decode(piece, { stream: true });
  });
  return { ids, pieces };
}
