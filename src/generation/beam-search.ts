import type { BeamSearchRequest, BeamSearchResult } from '../contracts/generation.js';
import type { LanguageModel } from '../models/language-model.js';
import { SeparateState } from '../models/separate-state.js';
import { likeliestIds, logNormalizer } from '../tensor/logits.js';
import { endsWithWordSpace, type Tokenizer, unknownWords } from '../tokenizers/tokenizer.js';
import { PROMPT_BLOCK } from './generate-text.js';
import { findStop } from './stop-strings.js';
import { promptIds } from './text-writing.js';

/** Number of ids before a text that its decoder reads, for correct white space. */
const DECODED_CONTEXT = 32;

/** An unfinished text: its last id, and those before. */
interface Beam {
  readonly id: number;
  readonly before: Beam | null;
  readonly tokens: number;
  /** ln p of the text, nats. */
  readonly logprob: number;
}

type Choice = BeamSearchResult['choices'][number];
/** A finished text. */
type Finished = Choice & { readonly score: number };

/**
 * The likeliest continuations of a prompt, approximated by beam search: at each step the `beams` likeliest of all texts that
 * are one token longer are kept. Deterministic: the same request gives the same texts.
 *
 *     score = ln p(text | prompt) / tokens^lengthPenalty
 *
 * A text is finished at a stop string, or after maxTokens. The search ends when no open text can beat the finished ones.
 * Yields the number of tokens so far; the model is free between steps.
 *
 * Reference: Wu et al. 2016, arXiv 1609.08144, section 7 (with a slightly different length penalty).
 */
export function* searchBeams(
  model: LanguageModel,
  tokenizer: Tokenizer,
  request: BeamSearchRequest,
): Generator<number, BeamSearchResult, undefined> {
  const context = promptIds(tokenizer, request.prompt);
  const state = new SeparateState(model, model.emptyState(1));
  let open: Beam[] = [{ id: context.at(-1)!, before: null, tokens: 0, logprob: 0 }];
  let finished: Finished[] = [];
  const scoreOf = (logprob: number, tokens: number) => logprob / tokens ** request.lengthPenalty;
  const finish = (beam: Beam, text: string, finishReason: Choice['finishReason']) => {
    const { tokens, logprob } = beam;
    finished.push({ text, tokens, logprob, finishReason, score: scoreOf(logprob, tokens) });
    finished = finished.sort((a, b) => b.score - a.score).slice(0, request.beams);
  };
  try {
    for (let at = 0; at < context.length - 1; at += PROMPT_BLOCK) {
      const block = context.subarray(at, Math.min(at + PROMPT_BLOCK, context.length - 1));
      state.use(() => model.read(block));
      yield 0;
    }
    for (let tokens = 1; tokens <= request.maxTokens && open.length > 0; tokens++) {
      const candidates = extend(model, tokenizer, state, open, request);
      const kept: { readonly beam: Beam; readonly row: number }[] = [];
      for (const candidate of candidates) {
        if (kept.length === request.beams) break;
        const { beam } = candidate;
        const text = request.stop.length > 0 ? textOf(tokenizer, context, beam, request.prompt) : '';
        const end = findStop(text, request.stop, 0);
        if (end !== null) finish(beam, text.slice(0, end), 'stop');
        else if (tokens === request.maxTokens)
          finish(beam, textOf(tokenizer, context, beam, request.prompt), 'length');
        else kept.push(candidate);
      }
      const rows = kept.map(({ row }) => row);
      state.replace((past) => (rows.length > 0 ? past.gather(rows) : null));
      const best = kept[0]?.beam.logprob ?? Number.NEGATIVE_INFINITY;
      const isDone =
        finished.length === request.beams && finished.at(-1)!.score >= scoreOf(best, request.maxTokens);
      open = isDone ? [] : kept.map(({ beam }) => beam);
      yield tokens;
    }
  } finally {
    state.dispose();
  }
  return {
    promptTokens: context.length - 1,
    unknownWords: unknownWords(tokenizer, request.prompt),
    choices: finished.slice(0, request.n).map(({ score: _, ...choice }) => choice),
  };
}

/** The likeliest texts that are one token longer, the likeliest first, with the open text that each extends. */
function extend(
  model: LanguageModel,
  tokenizer: Tokenizer,
  state: SeparateState,
  open: readonly Beam[],
  { beams, suppressUnknown }: BeamSearchRequest,
): { beam: Beam; row: number }[] {
  const { size, unknownId } = tokenizer.vocabulary;
  const logits = state.use(() => model.nextLogits(Int32Array.from(open, ({ id }) => id)));
  const values = logits.dataSync<'float32'>();
  logits.dispose();
  return open
    .flatMap((before, row) => {
      const own = values.subarray(row * size, (row + 1) * size);
      const normalizer = logNormalizer(own);
      if (suppressUnknown && unknownId !== null) own[unknownId] = Number.NEGATIVE_INFINITY;
      // Twice the number of beams, as that many may finish at once.
      const ids = likeliestIds(own, Math.min(2 * beams, size)).filter(
        (id) => own[id]! > Number.NEGATIVE_INFINITY,
      );
      return Array.from(ids, (id) => {
        const logprob = before.logprob + own[id]! - normalizer;
        return { beam: { id, before, tokens: before.tokens + 1, logprob }, row };
      });
    })
    .sort((a, b) => b.beam.logprob - a.beam.logprob || a.row - b.row || a.beam.id - b.beam.id);
}

function textOf(tokenizer: Tokenizer, context: Int32Array, beam: Beam, prompt: string): string {
  const ids: number[] = [];
  for (let at: Beam = beam; at.before; at = at.before) ids.push(at.id);
  const decoder = tokenizer.createDecoder();
  for (const id of context.subarray(-DECODED_CONTEXT)) decoder.push(id);
  const text = ids.reduceRight((before, id) => before + decoder.push(id), '') + decoder.end();
  return endsWithWordSpace(tokenizer, prompt) && text.startsWith(' ') ? text.slice(1) : text;
}
