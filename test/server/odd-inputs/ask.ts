/** How a row of the table of odd inputs is written: what is asked, and what must come back. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { OpenAiError } from '../../../src/contracts/openai.js';
import { Problem } from '../../../src/contracts/problem.js';
import type { World } from './world.js';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The text as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a row reads what it expects
  json<Value = any>(): Value;
}

export type Ask = (world: World) => Promise<Answer>;

/** What must come back beside the status: a part of the answer, the field that it names, or anything that is checked. */
export type Expectation =
  | RegExp
  | { readonly field: string; readonly says?: RegExp }
  | ((answer: Answer, world: World) => unknown);

/** Name, request, status, and what the answer must say or hold. */
export type OddInput = readonly [name: string, ask: Ask, status: number, expected?: Expectation];

type Headers = Readonly<Record<string, string>>;

/** {names} of the world in braces are replaced by its ids. */
export function get(path: string, headers: Headers = {}): Ask {
  return (world) => inject(world, { method: 'GET', url: fill(path, world), headers });
}

export function send(
  method: 'DELETE' | 'PATCH' | 'POST' | 'PUT',
  path: string,
  body?: unknown,
  headers: Headers = {},
): Ask {
  const isJson = body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array);
  return (world) =>
    inject(world, {
      method,
      url: fill(path, world),
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && {
        payload: isJson ? fill(JSON.stringify(body), world) : (body as string | Buffer),
      }),
    });
}

export function post(path: string, body?: unknown, headers: Headers = {}): Ask {
  return send('POST', path, body, headers);
}

/** A part of a form: a field, or a file with its name. */
export interface Part {
  readonly name: string;
  readonly value: string | Uint8Array;
  readonly file?: string;
  /** Instead of the one that the name and the file make. */
  readonly disposition?: string;
  readonly headers?: string;
}

export const field = (name: string, value: string): Part => ({ name, value });
export const file = (name: string, value: string | Uint8Array, fileName = 'a.txt'): Part => ({
  name,
  value,
  file: fileName,
});

export function formBytes(parts: readonly Part[], boundary = 'x'): Buffer {
  const bytes = parts.flatMap(({ name, value, file: fileName, disposition, headers = '' }) => {
    const names = fileName === undefined ? `name="${name}"` : `name="${name}"; filename="${fileName}"`;
    const head = `--${boundary}\r\nContent-Disposition: ${disposition ?? `form-data; ${names}`}\r\n${headers}\r\n`;
    return [Buffer.from(head), Buffer.from(value as string), Buffer.from('\r\n')];
  });
  return Buffer.concat([...bytes, Buffer.from(`--${boundary}--\r\n`)]);
}

export function postForm(path: string, parts: readonly Part[] | ((world: World) => readonly Part[])): Ask {
  return (world) =>
    postBytes(path, formBytes(typeof parts === 'function' ? parts(world) : parts), {
      'content-type': 'multipart/form-data; boundary=x',
    })(world);
}

export function postBytes(path: string, payload: Uint8Array | string, headers: Headers): Ask {
  return (world) =>
    inject(world, { method: 'POST', url: path, headers, payload: Buffer.from(payload as string) });
}

/** Bytes on a connection of their own, and what comes until the server closes it. */
export function raw(bytes: string): Ask {
  return async (world) => {
    const { port } = world;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write(fill(bytes, world)); // not ended: Node answers no client that has closed its half
    const received = await text(socket);
    const [head = '', ...rest] = received.split('\r\n\r\n');
    const [line = '', ...fields] = head.split('\r\n');
    const headers = Object.fromEntries(
      fields.map((each) => [each.split(':')[0]!.toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]),
    );
    return answer(Number(/^HTTP\/1\.1 (\d+)/.exec(line)?.[1] ?? 0), rest.join('\r\n\r\n'), headers);
  };
}

/** One request after another; the answer of the last. */
export function inTurn(...asks: readonly Ask[]): Ask {
  return async (world) => {
    let last: Answer | undefined;
    for (const ask of asks) last = await ask(world);
    return last!;
  };
}

/** @throws AssertionError if it is not what the row says */
export async function check(received: Answer, [, , status, expected]: OddInput, world: World): Promise<void> {
  assert.equal(received.status, status, received.text.slice(0, 500));
  if (status >= 400 && received.text.startsWith('{')) {
    const body = received.json();
    ('error' in body && typeof body.error === 'object' ? OpenAiError : Problem).parse(body);
  }
  const text = received.text.replaceAll('\\"', '"');
  if (expected instanceof RegExp) assert.match(text, expected);
  else if (typeof expected === 'function') await expected(received, world);
  else if (expected) {
    const { errors, error } = received.json();
    const fields = error ? [error.param] : errors?.map(({ path }: { path: string }) => path);
    assert.ok(fields?.includes(expected.field), `${expected.field} is named: ${text}`);
    if (expected.says) assert.match(text, expected.says);
  }
}

interface Injected {
  readonly method: 'DELETE' | 'GET' | 'PATCH' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Headers;
  readonly payload?: string | Buffer;
}

async function inject({ app }: World, request: Injected): Promise<Answer> {
  const { statusCode, body, headers } = await app.inject({ ...request, signal: AbortSignal.timeout(20_000) });
  return answer(statusCode, body, headers);
}

function answer(status: number, body: string, headers: Answer['headers']): Answer {
  return { status, text: body, headers, json: () => JSON.parse(body) };
}

function fill(template: string, { ids }: World): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => ids[name] ?? whole);
}
