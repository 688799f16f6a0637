import { ConnectionError, GatelmError } from './gatelm-error.js';

export interface ConnectionOptions {
  /** Address of the server, with its base path if it has one; http://127.0.0.1:8080 when left out. */
  readonly url?: string | undefined;
  /** Sent as a bearer token. */
  readonly apiKey?: string | undefined;
  /** Instead of the global one: for tests, proxies or other runtimes. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface Call {
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Sent as JSON; a FormData, a Blob or a stream of bytes as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Requests to one server, with its key. */
export class Connection {
  readonly url: string;
  readonly #apiKey: string | undefined;
  readonly #fetch: typeof globalThis.fetch;

  constructor({ url = DEFAULT_URL, apiKey, fetch = globalThis.fetch }: ConnectionOptions = {}) {
    this.url = url.replace(/\/+$/, '');
    this.#apiKey = apiKey;
    this.#fetch = fetch;
  }

  get headers(): Record<string, string> {
    return this.#apiKey === undefined ? {} : { authorization: `Bearer ${this.#apiKey}` };
  }

  /** Address of a path with its query; lists are joined by commas. */
  address(path: string, query: Call['query'] = {}): string {
    const set = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(
      set.map(([key, value]): [string, string] => [key, String(value)]),
    ).toString();
    return `${this.url}${path}${search && `?${search}`}`;
  }

  /** @throws GatelmError for an answer that is not 2xx, ConnectionError */
  async request(method: string, path: string, call: Call = {}): Promise<Response> {
    const { query, body, headers, signal } = call;
    const isRaw = body instanceof FormData || body instanceof Blob || body instanceof ReadableStream;
    const init = {
      method,
      headers: {
        ...this.headers,
        ...(body !== undefined && !isRaw && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
      ...(body instanceof ReadableStream && { duplex: 'half' }),
      ...(signal && { signal }),
    };
    let response: Response;
    try {
      response = await this.#fetch(this.address(path, query), init as RequestInit);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ConnectionError(this.url, error);
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    throw new GatelmError(response.status, problem as ConstructorParameters<typeof GatelmError>[1]);
  }

  /** The answer's JSON; undefined for 204. */
  async json<Result>(method: string, path: string, call: Call = {}): Promise<Result> {
    const response = await this.request(method, path, call);
    return (response.status === 204 ? undefined : await response.json()) as Result;
  }
}
