/** A text cut into its tokens, each with how surprising it was. */
import type { ScoredToken } from '../../src/contracts/score.js';

export interface TextToken {
  /** As it stands in the text; white space before it is in `before`. */
  readonly text: string;
  readonly before: string;
  readonly scored: ScoredToken;
}

/** Tokens tell their places in bytes; what is between two of them is white space that belongs to neither. */
export function cutText(text: string, tokens: readonly ScoredToken[]): TextToken[] {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  let end = 0;
  return tokens.map((scored) => {
    const before = decoder.decode(bytes.slice(end, Math.max(end, scored.start)));
    end = Math.max(end, scored.end);
    return { text: decoder.decode(bytes.slice(scored.start, scored.end)), before, scored };
  });
}

/** From 0, expected, to 1, very surprising: 8 nats are one in three thousand. */
export function surprise(surprisal: number): number {
  return Math.min(1, surprisal / 8);
}
