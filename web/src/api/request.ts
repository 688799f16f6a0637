import { signal } from '@preact/signals';
import { addressOf } from './address.js';
import { apiKey, needsKey } from './key.js';
import { ProblemError, problemOf, UnreachableError } from './problem.js';

/** Whether the last request reached the server. */
export const isOnline = signal(true);

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** @throws ProblemError, UnreachableError; what its signal throws when it is aborted */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', body, headers = {}, signal } = options;
  let response: Response;
  try {
    response = await fetch(addressOf(path), {
      method,
      headers: {
        ...authorization(),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
      cache: 'no-store',
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    isOnline.value = false;
    throw new UnreachableError(error);
  }
  isOnline.value = true;
  if (response.ok) return response;
  if (response.status === 401) needsKey.value = true;
  throw new ProblemError(await problemOf(response));
}

/** The body of an answer in JSON. */
export async function request<Answer>(path: string, options?: RequestOptions): Promise<Answer> {
  const response = await send(path, options);
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

export function authorization(): Record<string, string> {
  return apiKey.value === null ? {} : { authorization: `Bearer ${apiKey.value}` };
}
