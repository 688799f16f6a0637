/** /v1/completions against the documented shapes of OpenAI's legacy endpoint, over all of its parameters. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { useBackend } from '../support/backend.js';
import { inProcess } from '../support/in-process-executor.js';
import { LegacyChunk, LegacyCompletion, LegacyError, LegacyRequest } from '../support/openai-legacy.js';
import { startService, temporaryFolder } from '../support/service.js';
import { TINY_VOCABULARY, tinyBundle } from '../support/tiny-bundle.js';
import { field, file, formBytes } from './odd-inputs/ask.js';

const MODEL = 'tiny';
const BASE: LegacyRequest = { model: MODEL, prompt: 'the cat', max_tokens: 3 };

/** By parameter: values that the reference allows, the ends of its range among them. */
const VALID = {
  prompt: ['', 'the', ['the', 'cat'], [2, 3], [[2, 3], [4]], null],
  echo: [true, false, null],
  frequency_penalty: [-2, 0, 0.5, 2, null],
  logit_bias: [{}, { '2': -100, '3': 100 }, null],
  logprobs: [0, 1, 5, null],
  max_tokens: [0, 1, 16, null],
  n: [1, 2, 3, null],
  presence_penalty: [-2, 0, 2, null],
  seed: [0, -1, 2 ** 32, -(2 ** 63), 2 ** 63, null],
  stop: ['cat', '\n', ['a'], ['a', 'b', 'c', 'd'], null],
  stream_options: [{}, { include_usage: true }, { include_usage: false, include_obfuscation: true }, null],
  suffix: [null, ''],
  temperature: [0, 1, 2, null],
  top_p: [0, 0.5, 1, null],
  user: ['user-1', ''],
} satisfies { [Name in keyof LegacyRequest]?: LegacyRequest[Name][] };

/** What it allows and these models do not have. */
const UNSUPPORTED = { suffix: [' the end'], best_of: [0, 2, 20] };

/** What it does not allow. */
const INVALID: Readonly<Record<string, readonly unknown[]>> = {
  model: [undefined, null, '', 7, []],
  prompt: [7, {}, [], [[]], [1.5], [true], ['the', 2]],
  best_of: [-1, 1.5, 'two'],
  echo: ['true', 1, {}],
  frequency_penalty: [-2.1, 2.1, '0'],
  logit_bias: [[], 'x', { cat: 1 }, { '2': 101 }, { '2': 'x' }],
  logprobs: [-1, 6, 1.5, true],
  max_tokens: [-1, 1.5, '3'],
  n: [0, 129, 1.5, '2'],
  presence_penalty: [-2.1, 2.1, []],
  seed: [0.5, '1', 1e20],
  stop: [7, {}, [7], ''],
  stream: ['true', 1],
  stream_options: [true, { include_usage: 'yes' }, { other: true }],
  suffix: [7, {}],
  temperature: [-0.1, '1', []],
  top_p: [-0.1, 1.1, '1'],
  user: [7, {}],
  messages: [[{ role: 'user', content: 'hi' }]],
  functions: [[]],
};

describe('/v1/completions and the reference of OpenAI’s legacy endpoint', () => {
  useBackend();

  async function start(t: TestContext) {
    const { app } = await startService(t, { executor: inProcess, environment: { rateLimit: 1_000_000 } });
    const model = tinyBundle(temporaryFolder(t)).get('model.safetensors')!;
    await app.inject({
      method: 'POST',
      url: '/experiments/import',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      payload: formBytes([file('model', model), file('vocabulary', TINY_VOCABULARY), field('name', MODEL)]),
    });
    const ask = async (payload: object) => {
      const { statusCode, body } = await app.inject({ method: 'POST', url: '/v1/completions', payload });
      return { status: statusCode, body };
    };
    /** @returns the documented answer, whole */
    const complete = async (payload: LegacyRequest) => {
      LegacyRequest.parse(payload);
      const { status, body } = await ask(payload);
      assert.equal(status, 200, `${JSON.stringify(payload)} → ${body}`);
      return LegacyCompletion.parse(JSON.parse(body));
    };
    /** @returns the documented chunks */
    const stream = async (payload: LegacyRequest) => {
      const { status, body } = await ask({ ...payload, stream: true });
      assert.equal(status, 200, `${JSON.stringify(payload)} → ${body}`);
      const events = body.split('\n\n').filter((event) => event !== '' && !event.startsWith(':'));
      assert.equal(events.pop(), 'data: [DONE]');
      return events.map((event) => {
        assert.match(event, /^data: /);
        return LegacyChunk.parse(JSON.parse(event.slice(6)));
      });
    };
    const refuse = async (payload: object, param: string) => {
      const { status, body } = await ask(payload);
      assert.equal(status, 400, `${JSON.stringify(payload)} → ${body}`);
      const { error } = LegacyError.parse(JSON.parse(body));
      assert.equal(error.type, 'invalid_request_error');
      assert.match(error.param ?? 'null', new RegExp(`^${param}(\\.|$)`), JSON.stringify(payload));
    };
    return { ask, complete, stream, refuse };
  }

  test('each documented value of each parameter is answered as documented, whole and as a stream', async (t) => {
    const { complete, stream } = await start(t);
    for (const [name, values] of Object.entries(VALID))
      for (const value of values) {
        const payload = { ...BASE, [name]: value };
        const { choices, usage } = await complete(payload);
        assert.equal(usage?.total_tokens, usage!.prompt_tokens + usage!.completion_tokens);
        const prompts =
          Array.isArray(payload.prompt) && typeof payload.prompt[0] !== 'number' ? payload.prompt.length : 1;
        assert.equal(choices.length, prompts * (payload.n ?? 1));
        const chunks = await stream(payload);
        const wantsUsage = payload.stream_options?.include_usage === true;
        const last = chunks.at(-1)!;
        if (wantsUsage) assert.deepEqual([last.choices, last.usage], [[], usage]);
        else assert.ok(chunks.every(({ usage }) => usage === undefined));
        for (const { index } of choices) {
          const own = chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.index === index);
          assert.deepEqual(
            own.map(({ finish_reason }) => finish_reason !== null).indexOf(true),
            own.length - 1,
          );
        }
      }
  });

  test('any documented request is answered as documented, or refused by a parameter that it has and we do not', async (t) => {
    const { ask } = await start(t);
    const values = {
      ...VALID,
      suffix: [...VALID.suffix, ...UNSUPPORTED.suffix],
      best_of: [1, null, ...UNSUPPORTED.best_of],
    };
    const rest = fc.record(
      Object.fromEntries(
        Object.entries(values).map(([name, each]) => [name, fc.constantFrom<unknown>(...each)]),
      ),
      { requiredKeys: [] },
    );
    const answered = { 200: 0, 400: 0 };
    await fc.assert(
      fc.asyncProperty(rest, fc.boolean(), async (fields, streams) => {
        const payload = LegacyRequest.parse({ ...BASE, ...fields, ...(streams && { stream: true }) });
        const { status, body } = await ask(payload);
        assert.ok(status === 200 || status === 400, `${status} ${body}`);
        answered[status]++;
        if (status === 400) {
          const { param } = LegacyError.parse(JSON.parse(body)).error;
          assert.ok(
            (param === 'suffix' && payload.suffix) ||
              (param === 'best_of' && payload.best_of != null && payload.best_of !== (payload.n ?? 1)),
            `${JSON.stringify(payload)} → ${body}`,
          );
        } else if (streams)
          for (const event of body.split('\n\n').slice(0, -2)) LegacyChunk.parse(JSON.parse(event.slice(6)));
        else LegacyCompletion.parse(JSON.parse(body));
      }),
      { seed: 3, numRuns: 200 },
    );
    assert.ok(answered[200] > 50 && answered[400] > 20, JSON.stringify(answered));
  });

  test('what is not supported, or not documented, is refused with the name of the parameter', async (t) => {
    const { refuse } = await start(t);
    let count = 0;
    for (const table of [UNSUPPORTED, INVALID])
      for (const [name, values] of Object.entries(table))
        for (const value of values) {
          await refuse({ ...BASE, [name]: value }, name);
          count++;
        }
    t.diagnostic(`${count} refusals`);
  });
});
