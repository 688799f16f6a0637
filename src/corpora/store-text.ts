import {
  CorpusUpload,
  type CorpusUploadInput,
  type SplitName,
  type StoredCorpusManifest,
} from '../contracts/corpus.js';
import { assertWellFormed } from '../tokenizers/tokenizer.js';
import { SPLIT_NAMES } from './corpus.js';
import { type ByteSource, StagedUpload } from './staged-upload.js';

/** Maximum size of an uploaded corpus: a JavaScript string holds at most about 512 MB. */
export const MAX_CORPUS_BYTES = 256 * 1024 * 1024;

/** A text, or bytes of UTF-8 as they come from a file or a socket. */
export type TextSource = string | Uint8Array | ByteSource;

/**
 * Stores a text as a corpus of one's own: one text, which is cut at line ends by fractions, or one text a split.
 * @throws corpus-not-text, corpus-too-short, corpus-exists, body-too-large, out-of-disk, write-failed
 */
export async function storeCorpus(
  dataDirectory: string,
  fields: CorpusUploadInput,
  texts: { readonly whole: TextSource } | Readonly<Record<SplitName, TextSource>>,
  limits: { readonly maxBytes: number } = { maxBytes: MAX_CORPUS_BYTES },
): Promise<StoredCorpusManifest> {
  const upload = await StagedUpload.begin(dataDirectory, limits.maxBytes);
  try {
    if ('whole' in texts) await upload.receive('whole', bytesOf(texts.whole));
    else for (const split of SPLIT_NAMES) await upload.receive(split, bytesOf(texts[split]));
    return await upload.publish(CorpusUpload.parse(fields));
  } finally {
    await upload.discard();
  }
}

function bytesOf(text: TextSource): ByteSource {
  if (typeof text === 'string') {
    assertWellFormed(text);
    return [Buffer.from(text, 'utf8')];
  }
  return text instanceof Uint8Array ? [text] : text;
}
