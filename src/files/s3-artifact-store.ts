import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import type * as Sdk from '@aws-sdk/client-s3';
import { type ArtifactInfo, ArtifactKey } from '../contracts/artifacts.js';
import type { S3Address } from '../contracts/exchange-address.js';
import { appError } from '../errors.js';
import type { ArtifactStore, ByteSource } from './artifact-store.js';
import { describe } from './disk-error.js';
import { sha256 } from './durable-file.js';
import { assertSame, FolderArtifactStore } from './folder-artifact-store.js';
import { isAbsent, throwIfRefused } from './s3-error.js';

export interface S3ArtifactStoreOptions extends S3Address {
  readonly credentials: S3Credentials;
  /** Folder for streams on their way to the store, whose size and checksum it has to know before the first byte. */
  readonly temporaryFolder: string;
  /** Time between two attempts while the store is unreachable. */
  readonly retryMs?: number;
  /** Time after which an unreachable store is an error. */
  readonly giveUpAfterMs?: number;
  /** Time without a byte after which a connection counts as broken. */
  readonly idleMs?: number;
  /** Keys in one answer of a list. */
  readonly pageSize?: number;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const DEFAULT_REGION = 'us-east-1';
const RETRY_MS = 1_000;
const GIVE_UP_AFTER_MS = 10 * 60_000;
const IDLE_MS = 60_000;
/** Artifacts that are deleted in parallel. */
const PARALLEL = 16;
const MAX_PAGE = 1000;
/** Name of the metadata. */
const SHA256 = 'sha256';
const SIGNED_SHA256 = 'x-amz-content-sha256';

/**
 * Artifacts in a bucket of an S3-compatible store, at most 5 GiB each. The SHA-256 is metadata of the object and signed with the upload, so that
 * the store refuses other bytes. An interrupted download resumes at its position as long as the content is the same; an
 * unreachable store is retried.
 */
export class S3ArtifactStore implements ArtifactStore {
  readonly #options: S3ArtifactStoreOptions;
  readonly #sdk: typeof Sdk;
  readonly #client: Sdk.S3Client;

  private constructor(sdk: typeof Sdk, options: S3ArtifactStoreOptions) {
    const { endpoint, region, credentials, idleMs = IDLE_MS } = options;
    this.#options = options;
    this.#sdk = sdk;
    this.#client = new sdk.S3Client({
      ...(endpoint !== null && { endpoint }),
      region: region ?? DEFAULT_REGION,
      credentials,
      forcePathStyle: true,
      maxAttempts: 1, // retried here, with a new stream
      requestHandler: { connectionTimeout: idleMs, socketTimeout: idleMs },
      // Other stores than AWS do not know its newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  /** The library takes long to load: only where there is such a store. */
  static async open(options: S3ArtifactStoreOptions): Promise<S3ArtifactStore> {
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'; // a notice to developers
    return new S3ArtifactStore(await import('@aws-sdk/client-s3'), options);
  }

  async stat(key: string): Promise<ArtifactInfo | null> {
    const { bucket: Bucket } = this.#options;
    const Key = this.#objectOf(key);
    const found = await this.#retrying(key, () =>
      this.#client.send(new this.#sdk.HeadObjectCommand({ Bucket, Key })),
    );
    return found && { bytes: found.ContentLength ?? 0, sha256: digestOf(key, found) };
  }

  async get(key: string, start = 0): Promise<Readable | null> {
    if (start > 0) {
      const info = await this.stat(key);
      if (!info || start >= info.bytes) return info && Readable.from([], { objectMode: false }); // not a range
    }
    const first = await this.#open(key, start);
    return first && Readable.from(this.#read(key, first, start), { objectMode: false });
  }

  async put(key: string, bytes: ByteSource, expected?: ArtifactInfo): Promise<ArtifactInfo> {
    this.#objectOf(key);
    if (!(bytes instanceof Uint8Array)) return this.#putStream(key, bytes, expected);
    const info = { bytes: bytes.length, sha256: sha256(bytes) };
    if (expected) assertSame(key, info, expected);
    await this.#put(key, info, () => bytes);
    return info;
  }

  async list(prefix: string): Promise<string[]> {
    const { bucket: Bucket, pageSize: MaxKeys = MAX_PAGE } = this.#options;
    const Prefix = `${this.#objectOf(prefix)}/`;
    const keys: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await this.#retrying(prefix, () =>
        this.#client.send(
          new this.#sdk.ListObjectsV2Command({
            Bucket,
            Prefix,
            MaxKeys,
            ...(ContinuationToken && { ContinuationToken }),
          }),
        ),
      );
      for (const { Key } of page?.Contents ?? []) keys.push(`${prefix}/${Key!.slice(Prefix.length)}`);
      ContinuationToken = page?.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
    return keys.sort();
  }

  async delete(key: string): Promise<void> {
    const { bucket: Bucket } = this.#options;
    const keys = [key, ...(await this.list(key))];
    for (let first = 0; first < keys.length; first += PARALLEL)
      await Promise.all(
        keys
          .slice(first, first + PARALLEL)
          .map((each) =>
            this.#retrying(each, () =>
              this.#client.send(new this.#sdk.DeleteObjectCommand({ Bucket, Key: this.#objectOf(each) })),
            ),
          ),
      );
  }

  /**
   * Starts a download.
   * @param etag of the content that it must still be
   * @returns null when it does not exist
   */
  #open(key: string, start: number, etag?: string): Promise<Sdk.GetObjectCommandOutput | null> {
    const { bucket: Bucket } = this.#options;
    const command = {
      Bucket,
      Key: this.#objectOf(key),
      ...(start > 0 && { Range: `bytes=${start}-` }),
      ...(etag !== undefined && { IfMatch: etag }),
    };
    return this.#retrying(key, () => this.#client.send(new this.#sdk.GetObjectCommand(command)));
  }

  async *#read(key: string, first: Sdk.GetObjectCommandOutput, start: number): AsyncGenerator<Uint8Array> {
    const info = { bytes: start + (first.ContentLength ?? 0), sha256: digestOf(key, first) };
    const hash = createHash('sha256');
    let position = start;
    let response: Sdk.GetObjectCommandOutput | null = first;
    let failingSince: number | null = null;
    while (position < info.bytes) {
      response ??= await this.#open(key, position, first.ETag);
      if (!response)
        throw appError('artifact-corrupt', { key, reason: 'it was deleted during the download' });
      try {
        for await (const chunk of response.Body as unknown as AsyncIterable<Uint8Array>) {
          position += chunk.length;
          hash.update(chunk);
          failingSince = null;
          yield chunk;
        }
      } catch (error) {
        failingSince ??= Date.now();
        await this.#waitToRetry(error, failingSince); // then it resumes at this position
      }
      response = null;
    }
    if (start === 0) assertSame(key, { bytes: position, sha256: hash.digest('hex') }, info);
  }

  async #put(key: string, info: ArtifactInfo, body: () => Uint8Array | Readable): Promise<void> {
    const { bucket: Bucket } = this.#options;
    const Key = this.#objectOf(key);
    await this.#retrying(key, async () => {
      const content = body();
      const command = new this.#sdk.PutObjectCommand({
        Bucket,
        Key,
        Body: content,
        ContentLength: info.bytes,
        Metadata: { [SHA256]: info.sha256 },
      });
      command.middlewareStack.add(
        (next) => (args) => {
          (args.request as { headers: Record<string, string> }).headers[SIGNED_SHA256] = info.sha256;
          return next(args);
        },
        { step: 'build' },
      );
      try {
        await this.#client.send(command);
      } finally {
        if (content instanceof Readable) content.destroy();
      }
    });
  }

  /** Writes a stream to a temporary file, then uploads it. */
  async #putStream(
    key: string,
    bytes: AsyncIterable<Uint8Array>,
    expected?: ArtifactInfo,
  ): Promise<ArtifactInfo> {
    await mkdir(this.#options.temporaryFolder, { recursive: true });
    const folder = await mkdtemp(join(this.#options.temporaryFolder, 'upload-'));
    try {
      const files = new FolderArtifactStore(folder);
      const info = await files.put('upload', bytes);
      if (expected) assertSame(key, info, expected);
      await this.#put(key, info, () => createReadStream(files.path('upload')));
      return info;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** @throws bad-request */
  #objectOf(key: string): string {
    if (!ArtifactKey.safeParse(key).success)
      throw appError('bad-request', { reason: `"${key}" is not a valid artifact key` });
    const { prefix } = this.#options;
    return prefix === '' ? key : `${prefix}/${key}`;
  }

  /**
   * Retries failed connections and errors of the store; throws what it refused.
   * @returns null when the object does not exist
   */
  async #retrying<Result>(key: string, body: () => Promise<Result>): Promise<Result | null> {
    const startedAt = Date.now();
    for (;;) {
      try {
        return await body();
      } catch (error) {
        if (isAbsent(error)) return null;
        throwIfRefused(error, key, this.#name);
        await this.#waitToRetry(error, startedAt);
      }
    }
  }

  /** @throws host-unavailable when the store has been unreachable for too long */
  async #waitToRetry(error: unknown, since: number): Promise<void> {
    const { retryMs = RETRY_MS, giveUpAfterMs = GIVE_UP_AFTER_MS } = this.#options;
    if (Date.now() - since >= giveUpAfterMs)
      throw appError('host-unavailable', { host: this.#name, reason: describe(error) }, error);
    await after(retryMs);
  }

  get #name(): string {
    return `s3://${this.#options.bucket}`;
  }
}

/** @throws artifact-corrupt */
function digestOf(key: string, { Metadata }: Pick<Sdk.HeadObjectCommandOutput, 'Metadata'>): string {
  const digest = Metadata?.[SHA256];
  if (digest === undefined)
    throw appError('artifact-corrupt', { key, reason: 'the object store has no SHA-256 of it' });
  return digest;
}
