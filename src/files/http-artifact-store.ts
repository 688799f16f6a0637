import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { z } from 'zod';
import { ArtifactInfo } from '../contracts/artifacts.js';
import { errorOfProblem } from '../contracts/problem.js';
import { appError } from '../errors.js';
import type { ArtifactStore, ByteSource } from './artifact-store.js';
import { describe } from './disk-error.js';
import { sha256 } from './durable-file.js';
import { assertSame } from './folder-artifact-store.js';

export interface HttpArtifactStoreOptions {
  /** Address of the server. */
  readonly address: string;
  readonly key: string | null;
  /** The lease of the writer; writes require one. */
  readonly lease?: { readonly experimentId: string; readonly attempt: number };
  readonly signal?: AbortSignal;
  /** Time between two attempts while the server is unreachable. */
  readonly retryMs?: number;
  /** Time after which an unreachable server is an error. */
  readonly giveUpAfterMs?: number;
}

export const SHA256_HEADER = 'x-artifact-sha256';
export const LEASE_HEADER = 'x-gatelm-lease';

const RETRY_MS = 1_000;
const GIVE_UP_AFTER_MS = 10 * 60_000;

/**
 * The artifacts of a server. An interrupted download resumes at its position (Range) as long as the content is the same; an
 * unreachable server is retried.
 */
export class HttpArtifactStore implements ArtifactStore {
  readonly #options: HttpArtifactStoreOptions;

  constructor(options: HttpArtifactStoreOptions) {
    this.#options = options;
  }

  async stat(key: string): Promise<ArtifactInfo | null> {
    return this.#retrying(async () => {
      const response = await this.#request('HEAD', key);
      return response && infoOf(response);
    });
  }

  async get(key: string, start = 0): Promise<Readable | null> {
    const info = await this.stat(key);
    return info && Readable.from(this.#read(key, info, start), { objectMode: false });
  }

  async put(key: string, bytes: ByteSource, expected?: ArtifactInfo): Promise<ArtifactInfo> {
    const body = bytes instanceof Uint8Array ? bytes : await buffer(Readable.from(bytes));
    const info = expected ?? { bytes: body.length, sha256: sha256(body) };
    await this.#retrying(() =>
      this.#request('PUT', key, {
        headers: { 'content-type': 'application/octet-stream', [SHA256_HEADER]: info.sha256 },
        body: body as Uint8Array<ArrayBuffer>,
      }),
    );
    return info;
  }

  async list(prefix: string): Promise<string[]> {
    return this.#retrying(async () => {
      const response = await this.#request('GET', '', { query: `?prefix=${encodeURIComponent(prefix)}` });
      return z.object({ items: z.array(z.string()) }).parse(await response!.json()).items;
    });
  }

  delete(): Promise<void> {
    throw appError('forbidden', { scope: 'admin', key: 'trainer', has: 'trainer' });
  }

  async *#read(key: string, info: ArtifactInfo, start: number): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let position = start;
    while (position < info.bytes) {
      const from = position;
      const response = await this.#retrying(() =>
        this.#request('GET', key, {
          headers: { range: `bytes=${from}-`, 'if-range': `"${info.sha256}"`, 'accept-encoding': 'identity' },
        }),
      );
      if (response?.status !== 206) {
        await response?.body?.cancel();
        throw appError('artifact-corrupt', { key, reason: 'it was replaced during the download' });
      }
      try {
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
          position += chunk.length;
          hash.update(chunk);
          yield chunk;
        }
      } catch (error) {
        if (this.#options.signal?.aborted) throw error; // otherwise it resumes at this position
      }
    }
    if (start === 0) assertSame(key, { bytes: position, sha256: hash.digest('hex') }, info);
  }

  /** @returns null when not found */
  async #request(
    method: string,
    key: string,
    {
      query = '',
      headers = {},
      body,
    }: { query?: string; headers?: Record<string, string>; body?: Uint8Array<ArrayBuffer> } = {},
  ): Promise<Response | null> {
    const { address, key: apiKey, lease, signal } = this.#options;
    const response = await fetch(`${address.replace(/\/+$/, '')}/artifacts${key && `/${key}`}${query}`, {
      method,
      headers: {
        ...headers,
        ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }),
        ...(lease && { [LEASE_HEADER]: `${lease.experimentId}/${lease.attempt}` }),
      },
      redirect: 'error',
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
    if (response.ok) return response;
    if (response.status === 404 && method !== 'PUT') return null;
    if (response.status >= 500 || response.status === 429)
      throw new Error(`${method} ${key}: HTTP ${response.status}`);
    throw errorOfProblem(response.status, await response.json().catch(() => null));
  }

  /** Retries failed connections, server errors and exceeded rates; throws what the server refused. */
  async #retrying<Result>(body: () => Promise<Result>): Promise<Result> {
    const { retryMs = RETRY_MS, giveUpAfterMs = GIVE_UP_AFTER_MS, signal, address } = this.#options;
    const end = Date.now() + giveUpAfterMs;
    for (;;) {
      try {
        return await body();
      } catch (error) {
        if (error instanceof Error && 'code' in error && 'kind' in error) throw error;
        if (signal?.aborted) throw error;
        if (Date.now() > end)
          throw appError('host-unavailable', { host: address, reason: describe(error) }, error);
        await after(retryMs);
      }
    }
  }
}

function infoOf(response: Response): ArtifactInfo {
  return ArtifactInfo.parse({
    bytes: Number(response.headers.get('content-length')),
    sha256: response.headers.get(SHA256_HEADER),
  });
}
