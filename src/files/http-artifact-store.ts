import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { z } from 'zod';
import { ArtifactInfo } from '../contracts/artifacts.js';
import { appError, deserializeError } from '../errors.js';
import type { ArtifactStore, ByteSource } from './artifact-store.js';
import { describe } from './disk-error.js';
import { sha256 } from './durable-file.js';

export interface HttpArtifactStoreOptions {
  /** Of the server. */
  readonly address: string;
  readonly key: string | null;
  /** Who writes: without a lease nothing is written. */
  readonly lease?: { readonly experimentId: string; readonly attempt: number };
  readonly signal?: AbortSignal;
  /** Time between two tries while the server is away. */
  readonly retryMs?: number;
  /** Time after which a server that is away is given up. */
  readonly patienceMs?: number;
}

export const SHA256_HEADER = 'x-artifact-sha256';
export const LEASE_HEADER = 'x-gatelm-lease';

const RETRY_MS = 1_000;
const PATIENCE_MS = 10 * 60_000;

/**
 * The artifacts of a server. What breaks off goes on from where it was (Range), as long as it is the same content; a server
 * that is away is waited for.
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
        throw appError('artifact-corrupt', { key, reason: 'it was replaced while it was read' });
      }
      try {
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
          position += chunk.length;
          yield chunk;
        }
      } catch (error) {
        if (this.#options.signal?.aborted) throw error; // else it goes on from where it broke off
      }
    }
  }

  /** @returns null for what is not there */
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
    if (response.status >= 500) throw new Error(`${method} ${key}: HTTP ${response.status}`);
    const problem = z
      .object({ code: z.string(), detail: z.string() })
      .safeParse(await response.json().catch(() => null));
    const { code, detail } = problem.data ?? { code: 'bad-request', detail: `HTTP ${response.status}` };
    throw deserializeError({ code: code as 'bad-request', message: detail, details: {} });
  }

  /** Tries again what failed on its way; what the server refused is thrown. */
  async #retrying<Result>(body: () => Promise<Result>): Promise<Result> {
    const { retryMs = RETRY_MS, patienceMs = PATIENCE_MS, signal, address } = this.#options;
    const end = Date.now() + patienceMs;
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
