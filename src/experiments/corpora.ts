import {
  type CorpusInfo,
  type CorpusPreview,
  type CorpusUpload,
  KnownCorpusName,
  type SplitName,
} from '../contracts/corpus.js';
import type { Environment } from '../contracts/environment.js';
import { describeCorpus, listCorpora, previewCorpus } from '../corpora/corpus-catalogue.js';
import { corpusNotFound } from '../corpora/load-corpus.js';
import { type ByteSource, StagedUpload, type UploadPart } from '../corpora/staged-upload.js';
import { deleteStoredCorpus, findStoredCorpus } from '../corpora/uploaded-corpora.js';
import { appError } from '../errors.js';
import type { Store } from '../store/store.js';
import type { DataFolder } from './data-folder.js';
import { assertRoomOnDisk } from './disk-quota.js';

export type { UploadPart };

/** The known and uploaded corpora of the server. */
export interface Corpora {
  list(): Promise<CorpusInfo[]>;
  /** @throws corpus-not-found */
  describe(corpus: string): Promise<CorpusInfo>;
  /** @throws corpus-not-found, corpus-unavailable */
  preview(corpus: string, split: SplitName, characters: number): Promise<CorpusPreview>;
  /** @throws corpus-not-found */
  assertExists(corpus: string): Promise<void>;
  /**
   * Receives an upload as a stream.
   * @param receive passes on its files, one after another, then returns the fields of the form
   * @throws corpus-not-text, corpus-too-short, corpus-exists, body-too-large, bad-request, disk-quota-exceeded, out-of-disk, write-failed
   */
  upload(
    receive: (
      take: (part: UploadPart, bytes: ByteSource, name?: string) => Promise<void>,
    ) => Promise<CorpusUpload>,
  ): Promise<CorpusInfo>;
  /** @throws corpus-not-found, corpus-in-use; known ones cannot be deleted */
  delete(corpus: string): Promise<void>;
}

export function createCorpora(
  store: Store,
  environment: Pick<Environment, 'corporaMirror' | 'maxUploadBytes' | 'diskQuotaBytes'>,
  folder: DataFolder,
): Corpora {
  const { path: dataDirectory } = folder;
  const source = { dataDirectory, mirror: environment.corporaMirror };
  const isKnown = (corpus: string) => KnownCorpusName.safeParse(corpus).success;

  return {
    async list() {
      folder.assertPresent();
      return listCorpora(source);
    },
    async describe(corpus) {
      folder.assertPresent();
      return describeCorpus(corpus, source);
    },
    async preview(corpus, split, characters) {
      folder.assertPresent();
      return previewCorpus(corpus, source, { split, characters });
    },
    async assertExists(corpus) {
      folder.assertPresent();
      if (isKnown(corpus) || (await findStoredCorpus(dataDirectory, corpus))) return;
      throw await corpusNotFound(corpus, source);
    },
    async upload(receive) {
      await assertRoomOnDisk(folder, environment);
      const upload = await StagedUpload.begin(dataDirectory, environment.maxUploadBytes);
      try {
        const fields = await receive((part, bytes, name) => upload.receive(part, bytes, name));
        const { id } = await upload.publish(fields);
        return await describeCorpus(id, source);
      } finally {
        await upload.discard();
      }
    },
    async delete(corpus) {
      if (isKnown(corpus))
        throw appError('config-conflict', {
          field: corpus,
          reason: 'it is part of gatelm and cannot be deleted',
        });
      folder.assertPresent();
      const stored = await findStoredCorpus(dataDirectory, corpus);
      if (!stored) throw await corpusNotFound(corpus, source);
      const experiment = store.experiments.findUserOfCorpus([stored.id, stored.name]);
      if (experiment) throw appError('corpus-in-use', { corpus, experiment });
      await deleteStoredCorpus(dataDirectory, stored.id);
    },
  };
}
