import type { ScoredToken, ScoreResult } from '../contracts/score.js';
import type { LanguageModel } from '../models/language-model.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { assertInspectable, InspectingReader, type InspectionRequest } from './inspect-tokens.js';
import { runToEnd, type Stepwise } from './stepwise.js';
import { type Adaptation, NO_ADAPTATION, SurprisalReader } from './surprisal-reader.js';
import { TextScorer } from './text-scorer.js';

const READING = { phase: 'evaluation', perplexity: null } as const;

export interface ScoreOptions {
  readonly adaptation?: Adaptation;
  /** Also show what goes on inside; not together with an adaptation. */
  readonly inspect?: InspectionRequest | null;
}

/**
 * How surprised a model is by each token of a text, read from the beginning of a line on. The model's own state is as
 * before afterwards.
 * @throws corpus-too-short when the text has no token; config-conflict for what cannot be inspected
 */
export function scoreText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  text: string,
  options: ScoreOptions = {},
): ScoreResult {
  return runToEnd(scoreTextStepwise(model, tokenizer, text, options));
}

/** {@link scoreText} block by block; others may use the model in between. */
export function* scoreTextStepwise(
  model: LanguageModel,
  tokenizer: Tokenizer,
  text: string,
  { adaptation = NO_ADAPTATION, inspect = null }: ScoreOptions = {},
): Stepwise<ScoreResult> {
  const totalTokens = tokenizer.encode(text).length;
  if (inspect) assertInspectable(totalTokens);
  const reader = inspect
    ? new InspectingReader(model, tokenizer.vocabulary, inspect)
    : new SurprisalReader(model, adaptation);
  const tokens: ScoredToken[] = [];
  try {
    const scorer = new TextScorer(tokenizer, reader);
    for (const block of scorer.push(text)) {
      tokens.push(...block);
      yield { ...READING, tokens: tokens.length, totalTokens };
    }
    const rest = scorer.end();
    for (;;) {
      const { done, value } = rest.next();
      if (done)
        return {
          perplexity: value.perplexity,
          bitsPerByte: value.bitsPerByte,
          unknownWords: unknownWordsOf(tokens),
          tokens,
        };
      tokens.push(...value);
      yield { ...READING, tokens: tokens.length, totalTokens };
    }
  } finally {
    reader.dispose();
  }
}

/** Each once, in order of appearance. */
function unknownWordsOf(tokens: readonly ScoredToken[]): string[] {
  return [...new Set(tokens.flatMap(({ unknown }) => unknown ?? []))];
}
