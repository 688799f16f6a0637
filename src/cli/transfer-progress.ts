/** The progress of large files on their way to the server and back: a line in a terminal, nothing elsewhere. */
import { bar, CLEAR_LINE, duration, type Output, replaceLine } from './progress-display.js';

/** Smaller bodies are there at once. */
const MIN_BYTES = 1_000_000;
const REDRAW_MS = 100;
const FILES = /^application\/(x-tar|zip)\b/;

type Fetch = typeof globalThis.fetch;

/** `fetch` that shows how much of a file was sent or received. */
export function fetchWithProgress(
  output: Output,
  fetch: Fetch = globalThis.fetch,
  now = () => performance.now(),
): Fetch {
  if (!output.isTTY) return fetch;
  return async (input, init = {}) => {
    const total = sizeOf(init.body);
    const sent = total < MIN_BYTES ? null : new TransferLine(output, 'sent', total, now);
    const response = await fetch(input, sent ? countBody(init, sent) : init).finally(() => sent?.end());
    if (!response.body || !FILES.test(response.headers.get('content-type') ?? '')) return response;
    const length = response.headers.get('content-length');
    const received = new TransferLine(output, 'received', length === null ? null : Number(length), now);
    return new Response(
      count(response.body, received, () => received.end()),
      response,
    );
  };
}

/** Bytes of the files in a body. */
function sizeOf(body: RequestInit['body']): number {
  if (body instanceof Blob) return body.size;
  if (!(body instanceof FormData)) return 0;
  let size = 0;
  for (const value of body.values()) if (typeof value !== 'string') size += value.size;
  return size;
}

/** The request with its body as a stream that is counted. */
function countBody(init: RequestInit, line: TransferLine): RequestInit {
  const { body, headers } = new Response(init.body as FormData | Blob);
  const type = headers.get('content-type');
  return {
    ...init,
    headers: { ...(init.headers as Record<string, string>), ...(type !== null && { 'content-type': type }) },
    body: count(body!, line, () => line.show('; the server reads it …')),
    duplex: 'half',
  } as RequestInit;
}

function count(
  body: ReadableStream<Uint8Array>,
  line: TransferLine,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      line.add(chunk.length);
      controller.enqueue(chunk);
    },
    flush: onEnd,
  });
  return body.pipeThrough(counter);
}

class TransferLine {
  readonly #output: Output;
  readonly #verb: string;
  readonly #total: number | null;
  readonly #now: () => number;
  readonly #start: number;
  #bytes = 0;
  #drawn: number;

  /** @param total bytes; null = unknown */
  constructor(output: Output, verb: string, total: number | null, now: () => number) {
    this.#now = now;
    this.#start = now();
    this.#drawn = this.#start;
    this.#output = output;
    this.#verb = verb;
    this.#total = total;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    const now = this.#now();
    if (now - this.#drawn < REDRAW_MS) return;
    this.#drawn = now;
    const speed = this.#bytes / ((now - this.#start) / 1000);
    const left = this.#total === null ? '' : ` · ${duration((this.#total - this.#bytes) / speed)} left`;
    this.show(` · ${megabytes(speed)}/s${left}`);
  }

  show(rest: string): void {
    const [bytes, total] = [this.#bytes, this.#total];
    const drawn = total === null ? '' : `${bar(Math.min(1, bytes / total))} `;
    const ofTotal = total === null ? '' : ` of ${megabytes(total)}`;
    replaceLine(this.#output, `${drawn}${this.#verb} ${megabytes(bytes)}${ofTotal}${rest}`);
  }

  end(): void {
    this.#output.write(CLEAR_LINE);
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
