/** Where corpora are searched. */
export interface CorpusSource {
  /** gatelm's data folder: downloaded corpora in `downloads/`, uploaded ones in `corpora/`. */
  readonly dataDirectory: string;
  /** GATELM_CORPORA_MIRROR: a folder or an http(s) address that is searched before the original ones; null = none. */
  readonly mirror?: string | null;
  /** Called while a file is downloaded. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

export interface DownloadProgress {
  readonly file: string;
  readonly address: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}
