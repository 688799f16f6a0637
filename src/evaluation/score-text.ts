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
  /** Also report activations; cannot be combined with an adaptation. */
  readonly inspect?: InspectionRequest | null;
}

/**
 * The surprisal of each token of a text that starts a line. The state of the model is unchanged
 * afterwards.
 * @throws corpus-too-short for a text without tokens; config-conflict for an invalid inspection
 */
export function scoreText(
  model: LanguageModel,
  tokenizer: Tokenizer,
  text: string,
  options: ScoreOptions = {},
): ScoreResult {
  return runToEnd(scoreTextStepwise(model, tokenizer, text, options));
}

/** {@link scoreText} block by block; the model is free between steps. */
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
