import type { TokenizerConfig } from '../contracts/corpus.js';
import type { TokenizerJson } from '../contracts/tokenizer-json.js';
import { appError } from '../errors.js';
import type { Vocabulary } from './vocabulary.js';

/** Ids of a text and where each token stands in it: bytes `starts[i]` to `ends[i]` (exclusive) of its UTF-8. */
export interface EncodedText {
  readonly ids: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/**
 * Turns ids into text one by one, as they come from a model. What `push` returned, joined, and then `end()`, is what
 * `decode` gives for all of them: a character of several tokens is held back until it is whole.
 */
export interface StreamingDecoder {
  push(id: number): string;
  /** What {@link push} would return; nothing changes. */
  peek(id: number): string;
  end(): string;
}

/** Text to ids and back. Immutable; safe to share. */
export interface Tokenizer {
  readonly type: TokenizerConfig['type'];
  readonly vocabulary: Vocabulary;
  /** White space is in the tokens; else decoding puts a space before each word that wants one. */
  readonly keepsSpacing: boolean;
  /**
   * @param onUnknown told of each word that becomes `<unk>`, in order, in lower case where that is what is read
   * @throws corpus-not-text for a lone surrogate, which no UTF-8 text has
   */
  encode(text: string, onUnknown?: (word: string) => void): Int32Array;
  /** Like {@link encode}, with byte offsets. */
  encodeWithOffsets(text: string): EncodedText;
  /**
   * How many characters of the beginning of a text have the tokens that they have by themselves, whatever follows the text;
   * 0 = that cannot be said yet.
   */
  safeCut(text: string): number;
  /** Characters and byte pairs give the text back as it was; words give it back but for the spacing. */
  decode(ids: ArrayLike<number>): string;
  createDecoder(): StreamingDecoder;
  /** The `tokenizer.json` of Hugging Face tokenizers. */
  toJSON(): TokenizerJson;
}

/** Decodes all ids at once. */
export function decodeAll(tokenizer: Pick<Tokenizer, 'createDecoder'>, ids: ArrayLike<number>): string {
  const decoder = tokenizer.createDecoder();
  const parts: string[] = [];
  for (let i = 0; i < ids.length; i++) parts.push(decoder.push(ids[i]!));
  parts.push(decoder.end());
  return parts.join('');
}

/** Whether a text ends with the space that decoding would put before the next word: it is not to be there twice. */
export function endsWithWordSpace({ keepsSpacing }: Tokenizer, text: string): boolean {
  return !keepsSpacing && /[ \t]$/.test(text);
}

/** Words of a text that the tokenizer only knows as `<unk>`, each once, in order of appearance. */
export function unknownWords(tokenizer: Tokenizer, text: string): string[] {
  const { unknownId } = tokenizer.vocabulary;
  if (unknownId === null) return [];
  const { ids, starts, ends } = tokenizer.encodeWithOffsets(text);
  const bytes = Buffer.from(text, 'utf8');
  const words = new Set<string>();
  ids.forEach((id, i) => {
    if (id === unknownId) words.add(bytes.toString('utf8', starts[i], ends[i]));
  });
  return [...words];
}

/** @throws corpus-not-text when the text has a lone surrogate */
export function assertWellFormed(text: string): void {
  const index = text.search(/\p{Surrogate}/u);
  if (index < 0) return;
  throw appError('corpus-not-text', {
    reason: 'a lone surrogate',
    offset: Buffer.byteLength(text.slice(0, index), 'utf8'),
  });
}
