import type { TokenizerConfig } from '../contracts/corpus.js';
import type { TokenizerJson } from '../contracts/tokenizer-json.js';
import { appError } from '../errors.js';
import type { Vocabulary } from './vocabulary.js';

/** Ids of a text with the position of each token: bytes `starts[i]` to `ends[i]` (exclusive) of its UTF-8. */
export interface EncodedText {
  readonly ids: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/**
 * Decodes ids one by one, as a model produces them. The results of `push`, joined, followed by `end()`, equal the result of
 * `decode` for all ids: a character of several tokens is held back until it is complete.
 */
export interface StreamingDecoder {
  push(id: number): string;
  /** What {@link push} would return; changes no state. */
  peek(id: number): string;
  end(): string;
}

/** Encodes text to ids and decodes ids to text. Immutable; safe to share. */
export interface Tokenizer {
  readonly type: TokenizerConfig['type'];
  readonly vocabulary: Vocabulary;
  /** Tokens include white space; otherwise decoding puts a space before each word that needs one. */
  readonly keepsSpacing: boolean;
  /**
   * @param onUnknown called for each word that becomes `<unk>`, in order, in lower case if the tokenizer lower-cases
   * @throws corpus-not-text for a lone surrogate, which is invalid in UTF-8
   */
  encode(text: string, onUnknown?: (word: string) => void): Int32Array;
  /** Like {@link encode}, with byte offsets. */
  encodeWithOffsets(text: string): EncodedText;
  /**
   * The number of leading characters of a text whose tokens do not depend on what follows the text; 0 = not known yet.
   */
  safeCut(text: string): number;
  /** Characters, byte pairs and lossless words reproduce the text exactly; other words reproduce it except for spacing. */
  decode(ids: ArrayLike<number>): string;
  createDecoder(): StreamingDecoder;
  /** As `tokenizer.json` of Hugging Face tokenizers. */
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

/** Whether a text ends with the space that decoding would put before the next word, so that it is not doubled. */
export function endsWithWordSpace({ keepsSpacing }: Tokenizer, text: string): boolean {
  return !keepsSpacing && /[ \t]$/.test(text);
}

/** The words of a text that the tokenizer maps to `<unk>`, each once, in order of appearance. */
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
