/** Every route of the OpenAPI document, called as its examples say, on a real server with a model that it trained. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import WebSocket from 'ws';
import type { Experiment } from '../../src/contracts/experiment.js';
import { type GatelmServer, startGatelm } from '../support/gatelm-server.js';
import { ProgressClient } from '../support/progress-client.js';
import { temporaryFolder } from '../support/service.js';

interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly examples?: readonly unknown[];
  readonly format?: string;
}
interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly example?: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: unknown;
}

const TINY = {
  name: 'my experiment', // as the example of /v1/completions calls it
  corpus: 'handbook',
  tokenizer: { type: 'word', vocabularySize: 300 },
  model: { embeddingSize: 8, hiddenSizes: [8] },
  training: { epochs: 1, batchSize: 50, bpttLength: 20, sampleLength: 5 },
};
const JSON_TYPE = 'application/json';
const TEXT = 'the cat sat on the mat\n'.repeat(50);

test('every route has examples, takes its own, and answers as the document says', async (context) => {
  const server = await startGatelm(context, temporaryFolder(context));
  const document = await server.get<Document>('/openapi.json');
  const { id } = await server.train(TINY);
  await new ProgressClient(`${server.socketAddress}/experiments/${id}/progress?since=0`).closed;

  const checker = new Checker(document);
  const call = (route: string, path: string, more: Partial<CallOptions> = {}) =>
    checker.call(server, route, path, more);
  const post = (route: string, path: string, body: unknown) => call(`POST ${route}`, path, { body });
  /** Each example of the body that the document gives. */
  const postExamples = async (route: string, path: string, extra: object = {}) => {
    const examples = checker.bodyExamples(`POST ${route}`);
    const answers: unknown[] = [];
    for (const example of examples)
      answers.push(await post(route, path, { ...(example as object), ...extra }));
    return answers;
  };
  const self = `/experiments/${id}`;

  await postExamples('/experiments', '/experiments?dryRun=true');
  await call('GET /experiments', '/experiments');
  await call('GET /experiments/{id}', self);
  await call('PATCH /experiments/{id}', self, { body: { notes: 'seen' } });
  await call('GET /experiments/{id}/events', `${self}/events`);
  await call('GET /experiments/{id}/events', `${self}/events`, { accept: 'text/event-stream' });
  await call('GET /experiments/{id}/events', `${self}/events?since=100000`, { accept: 'text/event-stream' });
  for (const accept of [JSON_TYPE, 'text/csv', 'application/jsonl'])
    await call('GET /experiments/{id}/metrics', `${self}/metrics`, { accept });
  await call('GET /experiments/{id}/checkpoints', `${self}/checkpoints`);
  await call('GET /experiments/{id}/export', `${self}/export`);
  for (const route of ['archive', 'tensorboard', 'sample-quality'])
    await call(`GET /experiments/{id}/${route}`, `${self}/${route}`);
  for (const accept of [JSON_TYPE, 'text/csv']) await call('GET /compare', `/compare?ids=${id}`, { accept });
  await postExamples('/experiments/{id}/evaluate', `${self}/evaluate`);
  await call('POST /experiments/{id}/evaluate', `${self}/evaluate`, {
    body: { text: 'The cell' },
    accept: 'text/event-stream',
  });

  for (const accept of [JSON_TYPE, 'text/plain', 'text/event-stream'])
    await call('GET /generate', '/generate?prompt=The&maxTokens=3', { accept });
  await postExamples('/generate', '/generate', { experiment: id });
  await postExamples('/score', '/score');
  await postExamples('/rank', '/rank');
  await call('POST /score/stream', '/score/stream', { text: TEXT });
  await postExamples('/v1/completions', '/v1/completions');
  await call('POST /v1/completions', '/v1/completions', { body: { model: id, max_tokens: 2, stream: true } });
  await call('GET /v1/models', '/v1/models');
  await call('GET /v1/models/{model}', `/v1/models/${id}`);

  const [session] = (await postExamples('/sessions', '/sessions')) as [{ id: string }];
  const its = `/sessions/${session.id}`;
  await call('GET /sessions/{id}', its);
  await postExamples('/sessions/{id}/feed', `${its}/feed`);
  await postExamples('/sessions/{id}/generate', `${its}/generate`);
  await call('POST /sessions/{id}/fork', `${its}/fork`);
  await call('GET /sessions/{id}/state', `${its}/state`);
  await call('DELETE /sessions/{id}', its);

  await postExamples('/sweeps', '/sweeps?dryRun=true');
  const { name: _, ...base } = { ...TINY, corpus: undefined };
  const space = { 'optimizer.learningRate': { type: 'choice', values: [1, 10] } };
  const body = { base, space, limits: { experiments: 2 } };
  const sweep = (await post('/sweeps', '/sweeps', body)) as { id: string };
  const swept = `/sweeps/${sweep.id}`;
  await call('GET /sweeps', '/sweeps');
  await call('POST /sweeps/{id}/pause', `${swept}/pause`);
  await call('POST /sweeps/{id}/resume', `${swept}/resume`);
  await postExamples('/sweeps/{id}/extend', `${swept}/extend`);
  await call('GET /sweeps/{id}', swept);
  for (const accept of [JSON_TYPE, 'text/csv'])
    await call('GET /sweeps/{id}/trials', `${swept}/trials`, { accept });
  await call('GET /sweeps/{id}/events', `${swept}/events`);
  await call('POST /sweeps/{id}/cancel', `${swept}/cancel`);
  await checker.snapshot(server, 'GET /sweeps/{id}/progress', `${swept}/progress`);
  await call('DELETE /sweeps/{id}', swept);

  await call('GET /corpora', '/corpora');
  await call('POST /corpora', '/corpora?name=own', { text: TEXT });
  await call('GET /corpora/{name}', '/corpora/handbook');
  await call('GET /corpora/{name}/preview', '/corpora/own/preview');
  await postExamples('/corpora/{name}/tokens', '/corpora/own/tokens');
  await call('DELETE /corpora/{name}', '/corpora/own');

  for (const route of ['/presets', '/errors', '/healthz', '/readyz', '/metrics'])
    await call(`GET ${route}`, route);
  await call('POST /tickets', '/tickets');
  await checker.snapshot(server, 'GET /experiments/{id}/progress', `${self}/progress`);

  const [fork] = (await postExamples('/experiments/{id}/fork', `${self}/fork`)) as [Experiment];
  const forks = `/experiments/${fork.id}`;
  for (const verb of ['pause', 'resume', 'cancel', 'retry', 'kill']) {
    await call(`POST /experiments/{id}/${verb}`, `${forks}/${verb}`);
    while (/^(pausing|cancelling)$/.test((await server.get<Experiment>(forks)).state)) await after(20);
  }
  await postExamples('/experiments/{id}/continue', `${self}/continue`);
  await call('POST /experiments/{id}/kill', `${self}/kill`);
  await call('DELETE /experiments/{id}', forks);

  const bundle = new FormData();
  bundle.set('name', 'nothing');
  await call('POST /experiments/import', '/experiments/import', { form: bundle, isRefused: true });
  await call('POST /experiments/import/archive', '/experiments/import/archive', {
    text: TEXT,
    isRefused: true,
  });
  await call('GET /experiments/{id}', '/experiments/none', { isRefused: true });
  await call('GET /v1/models/{model}', '/v1/models/none', { isRefused: true });

  assert.deepEqual(checker.routesNotCalled(), []);
  assert.deepEqual(checker.withoutExamples(), []);
});

interface CallOptions {
  readonly body: unknown;
  readonly text: string;
  readonly form: FormData;
  readonly accept: string;
  /** The answer is to be an error. */
  readonly isRefused: boolean;
}

/** Holds what a server answers beside its document. */
class Checker {
  readonly #document: Document;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });
  readonly #called = new Set<string>();

  constructor(document: Document) {
    this.#document = document;
    this.#ajv.addSchema(document, 'document');
    for (const [name, { examples }] of Object.entries(document.components.schemas)) {
      assert.ok(examples?.length, `${name} has no example`);
      for (const example of examples)
        this.#check(`/components/schemas/${name}`, example, `the example of ${name}`);
    }
  }

  bodyExamples(route: string): readonly unknown[] {
    const media = this.#operation(route).requestBody?.content[JSON_TYPE];
    assert.ok(media, `${route} takes JSON`);
    return this.#examplesOf(media);
  }

  async call(
    server: GatelmServer,
    route: string,
    path: string,
    { body, text, form, accept = '*/*', isRefused = false }: Partial<CallOptions>,
  ): Promise<unknown> {
    this.#called.add(route);
    const type = body === undefined ? text && 'text/plain' : JSON_TYPE;
    const response = await fetch(server.address + path, {
      method: route.split(' ')[0]!,
      headers: { accept, ...(type && { 'content-type': type }) },
      body: form ?? text ?? (body === undefined ? null : JSON.stringify(body)),
    });
    const answerType = response.headers.get('content-type')?.split(';')[0];
    const content = await response.text();
    const isJson = /[+/]json$/.test(answerType ?? '');
    const answer = {
      status: response.status,
      type: answerType,
      body: isJson ? JSON.parse(content) : content,
    };
    assert.equal(answer.status >= 400, isRefused, `${route}: ${answer.status} ${content.slice(0, 500)}`);
    this.#checkAnswer(route, answer);
    return answer.body;
  }

  /** The first message of a progress socket. */
  async snapshot(server: GatelmServer, route: string, path: string): Promise<void> {
    this.#called.add(route);
    const socket = new WebSocket(server.socketAddress + path);
    const closed = once(socket, 'close');
    const [first] = await once(socket, 'message');
    await closed;
    this.#checkAnswer(route, { status: 101, type: JSON_TYPE, body: JSON.parse(String(first)) });
  }

  routesNotCalled(): string[] {
    return this.#routes().filter((route) => !this.#called.has(route));
  }

  /** Bodies, answers and parts of a path that have no example. */
  withoutExamples(): string[] {
    return this.#routes().flatMap((route) => {
      const { requestBody, responses, parameters = [] } = this.#operation(route);
      const answers = Object.values(responses).map(({ content }) => content);
      const media = [requestBody?.content, ...answers].flatMap((content) => Object.entries(content ?? {}));
      const bare = media
        .filter(([type, one]) => type !== 'multipart/form-data' && this.#examplesOf(one).length === 0)
        .filter(([, { schema }]) => schema.format !== 'binary')
        .map(([type]) => `${route}: ${type}`);
      const places = parameters
        .filter((parameter) => parameter.in === 'path' && parameter.example === undefined)
        .map(({ name }) => `${route}: ${name}`);
      return [...bare, ...places];
    });
  }

  #routes(): string[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  #operation(route: string): Operation {
    const [method = '', path = ''] = route.split(' ');
    const operation = this.#document.paths[path]?.[method.toLowerCase()];
    assert.ok(operation, `${route} is in the document`);
    return operation;
  }

  #examplesOf({ schema, example, examples }: Media): readonly unknown[] {
    if (example !== undefined) return [example];
    if (examples) return Object.values(examples).map(({ value }) => value);
    return (schema.anyOf ?? [schema]).flatMap((one) => {
      const name = one.$ref?.split('/').at(-1);
      return (name ? this.#document.components.schemas[name] : one)?.examples ?? [];
    });
  }

  #checkAnswer(route: string, { status, type, body }: Answer): void {
    const { responses } = this.#operation(route);
    const key = responses[status] ? String(status) : 'default';
    assert.ok(status < 400 || key === 'default', `${route} answers ${status} as documented`);
    assert.ok(status >= 400 || key !== 'default', `${route}: ${status} is not documented`);
    const { content } = responses[key]!;
    if (!content) {
      assert.equal(body, '', `${route}: ${status} has no body`);
      return;
    }
    const media = content[type ?? ''];
    assert.ok(media, `${route}: ${type} is not documented for ${status}`);
    const [method = '', path = ''] = route.split(' ');
    const pointer = ['paths', path, method.toLowerCase(), 'responses', key, 'content', type!, 'schema'];
    const place = pointer.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    this.#check(place, body, route);
    for (const example of this.#examplesOf(media)) this.#check(place, example, `an example of ${route}`);
  }

  #check(place: string, value: unknown, what: string): void {
    const validate = this.#ajv.getSchema(`document#${encodeURI(place)}`);
    assert.ok(validate, `${place} is a schema`);
    assert.ok(
      validate(value),
      `${what}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(value)?.slice(0, 500)}`,
    );
  }
}
