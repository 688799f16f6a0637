import { MAX_TOKEN_LENGTH, MAX_VOCABULARY_SIZE } from '../contracts/tokenizer-json.js';
import { appError } from '../errors.js';
import { wordTokenizerOf } from '../tokenizers/create-tokenizer.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { END_OF_LINE_TOKEN, UNKNOWN_TOKEN } from '../tokenizers/vocabulary.js';

/** Named in messages. */
const FILE = 'vocabulary';

/**
 * The word tokenizer of a vocabulary that is written one token a line, in the order of the ids: words are what white
 * space separates, `<eos>` ends a line, `<unk>` is every other word. Both must be among the tokens.
 * @param file UTF-8; lines may end with CR LF, the last one with nothing
 * @throws checkpoint-corrupt when a line is empty or the file is not UTF-8; tokenizer-invalid when a token stands twice
 *   or one of the two is missing
 */
export function parseVocabularyLines(file: string | Uint8Array): Tokenizer {
  const lines = decode(file).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > MAX_VOCABULARY_SIZE)
    throw refuse(`${lines.length} tokens are more than ${MAX_VOCABULARY_SIZE}`);
  lines.forEach((token, index) => {
    if (token === '') throw refuse(`line ${index + 1} is empty; one token per line is expected`);
    if (token.length > MAX_TOKEN_LENGTH) throw refuse(`line ${index + 1} is longer than ${MAX_TOKEN_LENGTH}`);
  });
  expectVocabulary(lines);
  return wordTokenizerOf(lines);
}

/** @throws tokenizer-invalid, naming the file that was sent */
function expectVocabulary(lines: readonly string[]): void {
  const seen = new Set<string>();
  for (const token of lines) {
    if (seen.has(token)) throw invalid(`duplicate token ${JSON.stringify(token.slice(0, 100))}`);
    seen.add(token);
  }
  for (const token of [UNKNOWN_TOKEN, END_OF_LINE_TOKEN])
    if (!seen.has(token)) throw invalid(`it lacks "${token}" on a line of its own`);
}

function invalid(reason: string) {
  return appError('tokenizer-invalid', { file: FILE, reason });
}

function decode(file: string | Uint8Array): string {
  if (typeof file === 'string') return file;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file);
  } catch (cause) {
    throw refuse('it is not UTF-8', cause);
  }
}

function refuse(reason: string, cause?: unknown) {
  return appError('checkpoint-corrupt', { file: FILE, reason }, cause);
}
