import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../src/contracts/http.js';
import { OpenAiError } from '../../src/contracts/openai.js';
import { ProgressClient } from '../support/progress-client.js';
import { startService } from '../support/service.js';

const SEED = 7;
/** GATELM_FUZZ_RUNS gives more than fits into a quick test. */
const RUNS = Number(process.env.GATELM_FUZZ_RUNS ?? 500);
const LIMIT_MS = 10_000;

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly queryNames: readonly string[];
}

function operationsOf(document: unknown): Operation[] {
  const { paths } = document as {
    paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [] }]) => ({
      path,
      method: method.toUpperCase(),
      queryNames: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
    })),
  );
}

const oddText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '..',
    '../x',
    '\u0000',
    'null',
    '-1',
    '1e999',
    '9'.repeat(50),
    'true',
    'handbook',
    'ptb',
    'test',
  ),
);
const query = fc.array(fc.tuple(fc.nat({ max: 20 }), fc.oneof(oddText, fc.double().map(String))), {
  maxLength: 4,
});
const fieldName = fc.constantFrom(
  ...[
    'text',
    'prompt',
    'experiment',
    'split',
    'name',
    'tags',
    'maxTokens',
    'seed',
    'corpus',
    'training',
    'stop',
  ],
);
const body = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value)),
  fc
    .dictionary(fieldName, fc.oneof(fc.jsonValue(), fc.constantFrom('test', 'a')))
    .map((value) => JSON.stringify(value)),
  fc.string(),
);
const contentType = fc.constantFrom(
  ...[
    'application/json',
    'application/json',
    'text/plain',
    'multipart/form-data',
    'multipart/form-data; boundary=x',
    'x/y',
  ],
);
const accept = fc.constantFrom(
  'text/event-stream',
  'text/csv',
  'text/plain',
  'application/json',
  '*/*',
  ';;,=q',
);

test(`${RUNS} odd requests over all routes of the document: no 5xx, no hang, every refusal a problem`, async (t) => {
  const { app, socketAddress } = await startService(t, { plays: true });
  const payload = { training: { epochs: 1 } };
  const { id } = (await app.inject({ method: 'POST', url: '/experiments', payload })).json();
  await new ProgressClient(`${socketAddress}/experiments/${id}/progress`).closed;
  const operations = operationsOf(app.swagger()).filter(({ method }) => method !== 'DELETE');
  const operation = fc.constantFrom(...operations);
  const param = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(id, 'handbook') }, oddText);
  const seen = new Map<number, number>();

  await fc.assert(
    fc.asyncProperty(
      fc.record({ operation, param, query, body, contentType, accept }),
      async ({ operation: { path, method, queryNames }, ...parts }) => {
        const names = [...queryNames, 'unknown', '__proto__'];
        const pairs = parts.query.map(([index, value]) => [names[index % names.length]!, value] as const);
        const search = pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
        const url = `${path.replace(/\{\w+\}/, encodeURIComponent(parts.param))}?${search}`;
        const hasBody = method === 'POST' || method === 'PATCH';
        const response = await app.inject({
          method: method as 'GET',
          url,
          headers: { accept: parts.accept, ...(hasBody && { 'content-type': parts.contentType }) },
          ...(hasBody && { payload: parts.body }),
          signal: AbortSignal.timeout(LIMIT_MS),
        });
        const { statusCode } = response;
        seen.set(statusCode, (seen.get(statusCode) ?? 0) + 1);
        assert.ok(statusCode < 500, `${method} ${url} → ${statusCode} ${response.body.slice(0, 500)}`);
        if (statusCode >= 400) (path.startsWith('/v1/') ? OpenAiError : Problem).parse(response.json());
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
  for (const status of [200, 400, 404, 415]) assert.ok(seen.has(status), `some answer ${status}`);
});
