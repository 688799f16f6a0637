import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OpenAiError } from '../../src/contracts/openai.js';
import { Problem } from '../../src/contracts/problem.js';
import { oddRequest, operationsOf } from '../support/odd-requests.js';
import { ProgressClient } from '../support/progress-client.js';
import { startService } from '../support/service.js';

const SEED = Number(process.env.GATELM_FUZZ_SEED ?? 7);
/** GATELM_FUZZ_RUNS gives more than fits into a quick test. */
const RUNS = Number(process.env.GATELM_FUZZ_RUNS ?? 500);
const LIMIT_MS = 10_000;

test(`${RUNS} odd requests over all routes of the document: no 5xx, no hang, every refusal a problem`, async (t) => {
  const { app, socketAddress } = await startService(t, {
    plays: true,
    environment: { rateLimit: 1_000_000 },
  });
  const payload = { training: { epochs: 1 } };
  const { id } = (await app.inject({ method: 'POST', url: '/experiments', payload })).json();
  await new ProgressClient(`${socketAddress}/experiments/${id}/progress`).closed;
  const document = app.swagger();
  const operations = operationsOf(document);
  const isUnmet = new Set(operations);
  const seen = new Map<number, number>();

  await fc.assert(
    fc.asyncProperty(
      oddRequest(document, operations, [id, 'handbook', 'uploaded']),
      async ({ operation, url, headers, payload: body }) => {
        // What others are asked about has to stay.
        if (operation.method === 'DELETE' && url.includes(id)) return;
        const { method } = operation;
        const response = await app.inject({
          method: method as 'GET',
          url,
          headers,
          ...(body !== undefined && { payload: body }),
          signal: AbortSignal.timeout(LIMIT_MS),
        });
        isUnmet.delete(operation);
        const { statusCode } = response;
        seen.set(statusCode, (seen.get(statusCode) ?? 0) + 1);
        assert.ok(statusCode < 500, `${method} ${url} → ${statusCode} ${response.body.slice(0, 500)}`);
        if (statusCode >= 400)
          (operation.path.startsWith('/v1/') ? OpenAiError : Problem).parse(response.json());
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
  t.diagnostic(`answers by status: ${JSON.stringify([...seen].sort())}`);
  for (const status of [200, 400, 404, 415]) assert.ok(seen.has(status), `some answer ${status}`);
  assert.deepEqual([...isUnmet], [], 'every operation was asked');
});
