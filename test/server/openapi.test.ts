import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import { startService } from '../support/service.js';

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

const ROUTES = [
  'GET /experiments',
  'POST /experiments',
  'GET /compare',
  'GET /experiments/{id}',
  'PATCH /experiments/{id}',
  'DELETE /experiments/{id}',
  'POST /experiments/{id}/cancel',
  'POST /experiments/{id}/pause',
  'POST /experiments/{id}/kill',
  'POST /experiments/{id}/resume',
  'POST /experiments/{id}/retry',
  'POST /experiments/{id}/continue',
  'POST /experiments/{id}/fork',
  'GET /experiments/{id}/progress',
  'GET /sweeps',
  'POST /sweeps',
  'GET /sweeps/{id}',
  'DELETE /sweeps/{id}',
  'POST /sweeps/{id}/pause',
  'POST /sweeps/{id}/resume',
  'POST /sweeps/{id}/cancel',
  'POST /sweeps/{id}/extend',
  'GET /sweeps/{id}/trials',
  'GET /sweeps/{id}/events',
  'GET /sweeps/{id}/progress',
  'POST /sessions',
  'GET /sessions/{id}',
  'DELETE /sessions/{id}',
  'POST /sessions/{id}/feed',
  'POST /sessions/{id}/generate',
  'POST /sessions/{id}/fork',
  'GET /sessions/{id}/state',
  'GET /experiments/{id}/events',
  'GET /experiments/{id}/metrics',
  'GET /experiments/{id}/checkpoints',
  'GET /experiments/{id}/sample-quality',
  'POST /experiments/{id}/evaluate',
  'POST /score/stream',
  'POST /rank',
  'GET /experiments/{id}/export',
  'GET /experiments/{id}/archive',
  'POST /experiments/import/archive',
  'GET /experiments/{id}/tensorboard',
  'POST /experiments/import',
  'GET /generate',
  'POST /generate',
  'POST /score',
  'POST /v1/completions',
  'GET /v1/models',
  'GET /v1/models/{model}',
  'GET /corpora',
  'POST /corpora',
  'GET /corpora/{name}',
  'DELETE /corpora/{name}',
  'GET /corpora/{name}/preview',
  'POST /corpora/{name}/tokens',
  'GET /presets',
  'GET /errors',
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
  'POST /tickets',
];

test('the document has every route, each with a summary, an answer and the problem', async (t) => {
  const { address, app } = await startService(t);
  const document = (await request(address).get('/openapi.json').expect(200)).body as Document;
  assert.match(document.openapi, /^3\.1\./);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );
  assert.deepEqual(operations.map(({ name }) => name).sort(), ROUTES.toSorted());
  for (const { name, path, operation } of operations) {
    assert.ok(operation.summary, `${name} has a summary`);
    assert.ok(operation.tags?.length, `${name} has a tag`);
    assert.ok(
      operation.responses.default?.content?.[
        path.startsWith('/v1/') ? 'application/json' : 'application/problem+json'
      ],
      `${name} tells its problems`,
    );
    assert.ok(
      Object.keys(operation.responses).some((status) => /^[12]/.test(status)),
      `${name} has an answer`,
    );
    for (const [, parameter] of path.matchAll(/\{(\w+)\}/g))
      assert.ok(
        operation.parameters?.some((known) => known.in === 'path' && known.name === parameter),
        name,
      );
  }
  assert.ok(app.hasRoute({ method: 'GET', url: '/openapi.json' }));
});

test('every reference of the document leads somewhere, and no two names say the same', async (t) => {
  const { address } = await startService(t);
  const { text, body } = await request(address).get('/openapi.json').expect(200);
  const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!);
  assert.ok(names.length > 5);
  for (const name of names) assert.ok(Object.hasOwn(body.components.schemas, name), name);
  assert.deepEqual(new Set(Object.keys(body.components.schemas)), new Set(names));
  const { required, properties } = body.components.schemas.NewExperimentInput;
  assert.equal(required, undefined, 'every field of a new experiment has a default');
  assert.equal(properties.training.properties.epochs.maximum, 100_000);
  assert.match(properties.training.properties.epochs.description, /Passes over/);
});
