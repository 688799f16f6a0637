import { createReadStream } from 'node:fs';
import { basename, extname } from 'node:path';
import { describeCorpus, previewCorpus } from '../../corpora/corpus-catalogue.js';
import type { CorpusSource } from '../../corpora/corpus-source.js';
import { StagedUpload } from '../../corpora/staged-upload.js';
import { MAX_CORPUS_BYTES } from '../../corpora/store-text.js';
import { AppError } from '../../errors.js';
import type { ResolveDependencies } from '../../experiments/resolve-experiment.js';

/** The corpora of a data folder, read without the server's database. */
export function readCorpora(source: CorpusSource): ResolveDependencies['corpora'] {
  return {
    describe: (corpus) => describeCorpus(corpus, source),
    preview: (corpus, split, characters) => previewCorpus(corpus, source, { split, characters }),
    assertExists: async (corpus) => {
      await describeCorpus(corpus, source);
    },
  };
}

/**
 * Stores a file as a corpus, unless one of the same name and size exists.
 * @returns its name
 * @throws corpus-exists, corpus-not-text, corpus-too-short, and what reading the file throws
 */
export async function storeFile(
  { dataDirectory }: CorpusSource,
  file: string,
  name = basename(file, extname(file)),
): Promise<string> {
  const known = await describeCorpus(name, { dataDirectory }).catch((error) => {
    if (error instanceof AppError && error.code === 'corpus-not-found') return null;
    throw error;
  });
  const upload = await StagedUpload.begin(dataDirectory, MAX_CORPUS_BYTES);
  try {
    let bytes = 0;
    const counted = async function* () {
      for await (const chunk of createReadStream(file)) {
        bytes += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
    };
    await upload.receive('whole', counted(), basename(file));
    if (known?.bytes !== bytes) await upload.publish({ name });
    return name;
  } finally {
    await upload.discard();
  }
}
