import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, diskError } from '../files/disk-error.js';
import { hashFile } from '../files/durable-file.js';
import type { DownloadProgress } from './corpus-source.js';
import { claimPart, releasePart } from './download-part.js';

export interface Download {
  /** Named in errors and progress. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Tried in turn; no other address is contacted, redirects are refused. */
  readonly addresses: readonly string[];
  /** Where the file goes once its checksum is right. */
  readonly destination: string;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Maximum time without a byte. */
  readonly idleTimeoutMs?: number;
  /** Attempts per address, each continuing where the last one broke off. */
  readonly triesPerAddress?: number;
}

/**
 * Downloads a file. What has arrived stays in a `.part` beside the destination, so a later try, also of another process
 * or from another address, asks for the rest only (HTTP Range). The checksum is verified before the file gets its name.
 * @returns null, or why each try failed
 */
export async function download(request: Download): Promise<readonly string[] | null> {
  await mkdir(dirname(request.destination), { recursive: true });
  const part = await claimPart(request.destination);
  const failures: string[] = [];
  try {
    for (const address of request.addresses) {
      for (let tried = 0; tried < (request.triesPerAddress ?? 3); tried++) {
        const failure = await tryOnce(request, address, part);
        if (failure === null) {
          await rename(part, request.destination);
          return null;
        }
        failures.push(`${address}: ${failure.reason}`);
        if (failure.final) break;
      }
    }
  } finally {
    await releasePart(part, request.destination);
  }
  return failures;
}

interface Failure {
  readonly reason: string;
  /** Whether another attempt at the same address would fail in the same way. */
  readonly final: boolean;
}

async function tryOnce(request: Download, address: string, part: string): Promise<Failure | null> {
  const idle = new IdleTimer(request.idleTimeoutMs ?? 30_000);
  let file: FileHandle | undefined;
  try {
    file = await open(part, 'a+');
    const had = (await file.stat()).size;
    if (had > request.bytes) await file.truncate(0);
    if (had !== request.bytes) {
      const failure = await receive(request, address, file, idle);
      if (failure) return failure;
    }
    await file.sync();
    const actual = await hashFile(part);
    if (actual === request.sha256) return null;
    await file.truncate(0);
    // What was there before may be to blame: then the whole file from here deserves a try.
    return { reason: `SHA-256 is ${actual}, expected ${request.sha256}`, final: had === 0 };
  } catch (error) {
    if (isLocalFailure(error)) throw diskError(request.file, error);
    return { reason: idle.expired ? `no byte for ${idle.limitMs} ms` : describe(error), final: false };
  } finally {
    idle.stop();
    await file?.close();
  }
}

/** Appends what the file lacks. */
async function receive(
  request: Download,
  address: string,
  file: FileHandle,
  idle: IdleTimer,
): Promise<Failure | null> {
  let size = (await file.stat()).size;
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (size > 0) headers.range = `bytes=${size}-`;
  const response = await fetch(address, { headers, redirect: 'error', signal: idle.signal });
  if (response.status === 200) {
    await file.truncate(0);
    size = 0;
  } else if (response.status !== 206 || !startsAt(response, size)) {
    await response.body?.cancel();
    if (response.status === 416 || response.status === 206) await file.truncate(0);
    return { reason: `HTTP ${response.status}`, final: response.status !== 416 && response.status < 500 };
  }
  if (response.body === null) return { reason: 'an empty answer', final: true };
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    idle.touch();
    size += chunk.length;
    if (size > request.bytes) {
      await file.truncate(0);
      return { reason: `more than the expected ${request.bytes} bytes`, final: true };
    }
    await file.appendFile(chunk);
    const { bytes: totalBytes, file: name } = request;
    request.onProgress?.({ file: name, address, receivedBytes: size, totalBytes });
  }
  if (size === request.bytes) return null;
  return { reason: `ended after ${size} of ${request.bytes} bytes`, final: false };
}

function startsAt(response: Response, offset: number): boolean {
  return response.headers.get('content-range')?.startsWith(`bytes ${offset}-`) ?? false;
}

/** Aborts what hangs: as long as `touch` is called often enough, nothing happens. */
class IdleTimer {
  readonly limitMs: number;
  expired = false;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(limitMs: number) {
    this.limitMs = limitMs;
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.#controller.abort();
    }, limitMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function isLocalFailure(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ENOSPC', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'EDQUOT', 'EMFILE', 'EISDIR'].includes(code);
}
