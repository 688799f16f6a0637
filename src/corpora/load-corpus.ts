import { TokenizerConfig } from '../contracts/corpus.js';
import { appError } from '../errors.js';
import { createTokenizer } from '../tokenizers/create-tokenizer.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import type { Corpus, CorpusText } from './corpus.js';
import type { CorpusSource } from './corpus-source.js';
import { encodeCorpus } from './encode-corpus.js';
import { HANDBOOK, readHandbook } from './handbook.js';
import { findKnownCorpus, KNOWN_CORPORA } from './known-corpora.js';
import { readKnownCorpus } from './known-corpus-text.js';
import { findStoredCorpus, listStoredCorpora, openCorpus } from './uploaded-corpora.js';

export interface LoadCorpusOptions extends CorpusSource {
  /** A known name, or the id or name of an uploaded corpus. */
  readonly corpus: string;
  /** How to make a tokenizer from the train split; or one that exists, as of a trained model. */
  readonly tokenizer: TokenizerConfig | Tokenizer;
}

/**
 * A corpus as token ids, downloaded if need be. The last ones are kept in memory: a second call for the same text and
 * tokenizer config gives the same object.
 * @throws corpus-not-found, corpus-unavailable, corpus-not-text
 */
export async function loadCorpus(options: LoadCorpusOptions): Promise<Corpus> {
  const text = await readCorpusText(options.corpus, options);
  const { tokenizer } = options;
  if ('encode' in tokenizer) return encodeCorpus(text, tokenizer);
  const key = JSON.stringify([text.id, text.name, text.digest, TokenizerConfig.parse(tokenizer)]);
  const corpus =
    loaded.get(key) ??
    encodeCorpus(text, createTokenizer(tokenizer, text.splits.train, text.defaultPreTokenizer));
  remember(key, corpus);
  return corpus;
}

/**
 * The text of a corpus, downloaded if need be.
 * @throws corpus-not-found, corpus-unavailable, corpus-not-text
 */
export async function readCorpusText(corpus: string, source: CorpusSource): Promise<CorpusText> {
  if (corpus === HANDBOOK.name) return readHandbook();
  const known = findKnownCorpus(corpus);
  if (known) return readKnownCorpus(known, source);
  const stored = await findStoredCorpus(source.dataDirectory, corpus);
  if (stored) return openCorpus(source.dataDirectory, stored);
  throw await corpusNotFound(corpus, source);
}

/** The error that names all corpora there are. */
export async function corpusNotFound(corpus: string, source: CorpusSource) {
  const stored = await listStoredCorpora(source.dataDirectory);
  const names = [HANDBOOK.name, ...KNOWN_CORPORA.map(({ name }) => name), ...stored.map(({ name }) => name)];
  return appError('corpus-not-found', { corpus, known: names.join(', ') });
}

const loaded = new Map<string, Corpus>();
const MAX_LOADED = 2;

/** Puts a corpus at the end, and drops the one that was used the longest time ago. */
function remember(key: string, corpus: Corpus): void {
  loaded.delete(key);
  loaded.set(key, corpus);
  const [oldest] = loaded.keys();
  if (loaded.size > MAX_LOADED && oldest !== undefined) loaded.delete(oldest);
}
