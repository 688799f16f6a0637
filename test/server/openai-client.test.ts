/** OpenAI's own client against this server. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError } from 'openai';
import request from 'supertest';
import type { RunOptions } from '../../src/compute/inference-executor.js';
import { useBackend } from '../support/backend.js';
import type { FakeInferenceExecutor } from '../support/fake-executor.js';
import { InProcessExecutor, inProcess } from '../support/in-process-executor.js';
import { type ServiceOptions, startService, type TestService, temporaryFolder } from '../support/service.js';
import { TINY_VOCABULARY, tinyBundle } from '../support/tiny-bundle.js';

function clientOf({ address }: TestService, apiKey = 'none'): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${address}/v1`, maxRetries: 0 });
}

async function importTiny(
  service: TestService,
  test: TestContext,
  name: string,
  key = 'none',
): Promise<string> {
  const { body } = await request(service.address)
    .post('/experiments/import')
    .set('authorization', `Bearer ${key}`)
    .attach('model', Buffer.from(tinyBundle(temporaryFolder(test)).get('model.safetensors')!), 'model')
    .attach('vocabulary', Buffer.from(TINY_VOCABULARY), 'vocabulary')
    .field('name', name)
    .expect(201);
  return body.id;
}

describe('the openai client', () => {
  useBackend();

  async function start(test: TestContext, options: ServiceOptions = {}) {
    const service = await startService(test, { executor: inProcess, ...options });
    const id = await importTiny(service, test, 'tiny');
    return { service, id, openai: clientOf(service) };
  }
  const ASKED = { model: 'tiny', prompt: 'the cat', max_tokens: 12, seed: 5 };

  test('completes a prompt like /generate, with the usage', async (t) => {
    const { service, id, openai } = await start(t);
    const completion = await openai.completions.create(ASKED);
    assert.equal(completion.object, 'text_completion');
    assert.equal(completion.model, id);
    assert.match(completion.id, /^cmpl-/);
    const { body } = await request(service.address)
      .post('/generate')
      .send({ experiment: 'tiny', prompt: 'the cat', maxTokens: 12, seed: 5 })
      .expect(200);
    const [choice] = completion.choices;
    assert.deepEqual(choice, { text: body.text, index: 0, logprobs: null, finish_reason: 'length' });
    assert.deepEqual(completion.usage, { prompt_tokens: 2, completion_tokens: 12, total_tokens: 14 });
    assert.equal((await openai.completions.create({ ...ASKED, model: id })).choices[0]?.text, body.text);
  });

  test('streams the same text, token by token, then the usage', async (t) => {
    const { openai } = await start(t);
    const whole = await openai.completions.create({ ...ASKED, logprobs: 1 });
    const stream = await openai.completions.create({
      ...ASKED,
      logprobs: 1,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.Completion[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
    const last = chunks.pop()!;
    assert.deepEqual([last.choices, last.usage], [[], whole.usage]);
    assert.ok(chunks.every(({ usage }) => usage === null));
    const choices = chunks.map((chunk) => chunk.choices[0]!);
    assert.equal(choices.length, 13, 'one for each token and one for the end');
    assert.equal(choices.map(({ text }) => text).join(''), whole.choices[0]?.text);
    assert.deepEqual(
      choices.flatMap(({ logprobs }) => logprobs?.token_logprobs ?? []),
      whole.choices[0]?.logprobs?.token_logprobs,
    );
    assert.deepEqual(
      choices.map((choice) => choice.finish_reason).filter((reason) => reason !== null),
      ['length'],
    );
  });

  test('gives several prompts, several texts each, of text and of token ids', async (t) => {
    const { openai } = await start(t);
    const alone = async (prompt: string, seed: number) =>
      (await openai.completions.create({ ...ASKED, prompt, seed })).choices[0]!.text;
    const texts = await openai.completions.create({ ...ASKED, prompt: ['the cat', 'the dog'], n: 2 });
    assert.deepEqual(
      texts.choices.map(({ index, text }) => [index, text]),
      [
        [0, await alone('the cat', 5)],
        [1, await alone('the cat', 6)],
        [2, await alone('the dog', 5)],
        [3, await alone('the dog', 6)],
      ],
    );
    assert.deepEqual(texts.usage, { prompt_tokens: 4, completion_tokens: 48, total_tokens: 52 });
    const ids = [2, 3]; // the cat
    const ofIds = await openai.completions.create({ ...ASKED, prompt: ids, echo: true });
    assert.equal(ofIds.choices[0]?.text, `the cat${texts.choices[0]?.text}`);
    const ofLists = await openai.completions.create({ ...ASKED, prompt: [ids, [2, 7]] });
    assert.deepEqual(
      ofLists.choices.map(({ text }) => text),
      [texts.choices[0]?.text, texts.choices[2]?.text],
    );
  });

  test('heeds stop strings, echo and biases, streamed or not', async (t) => {
    const { openai } = await start(t);
    const asked = { ...ASKED, echo: true, logit_bias: { 7: 100 } };
    const dogs = await openai.completions.create({ ...asked, max_tokens: 3 });
    assert.equal(dogs.choices[0]?.text, 'the cat dog dog dog');
    const stopped = await openai.completions.create({ ...asked, stop: 'g d' });
    assert.deepEqual([stopped.choices[0]?.text, stopped.choices[0]?.finish_reason], ['the cat do', 'stop']);
    let streamed = '';
    for await (const { choices } of await openai.completions.create({
      ...asked,
      stop: ['g d'],
      stream: true,
    }))
      streamed += choices[0]?.text;
    assert.equal(streamed, 'the cat do');
  });

  test('lists and finds models by id and name', async (t) => {
    const { id, openai } = await start(t);
    const models = [];
    for await (const model of openai.models.list()) models.push(model);
    assert.deepEqual(
      models.map((model) => [model.id, model.object, model.owned_by]),
      [[id, 'model', 'gatelm']],
    );
    assert.equal((await openai.models.retrieve('tiny')).id, id);
    await assert.rejects(openai.models.retrieve('none'), NotFoundError);
  });

  test('gets errors as its own classes, with the field and the code', async (t) => {
    const { openai } = await start(t);
    const create = (fields: object) => openai.completions.create({ ...ASKED, ...fields });
    await assert.rejects(create({ model: 'none' }), (error) => {
      assert.ok(error instanceof NotFoundError);
      assert.deepEqual([error.code, error.param], ['model_not_found', 'model']);
      return true;
    });
    for (const [param, fields] of Object.entries({
      suffix: { suffix: ' end' },
      best_of: { best_of: 3 },
      max_tokens: { max_tokens: -1 },
      temperature: { temperature: 'hot' },
      stop: { stop: [''] },
      messages: { messages: [] },
      n: { n: 100, prompt: ['a', 'b'] },
    })) {
      await assert.rejects(create(fields), (error) => {
        assert.ok(error instanceof BadRequestError, param);
        assert.equal(error.type, 'invalid_request_error');
        assert.ok(error.param?.startsWith(param), `${param}: ${error.param} ${error.message}`);
        return true;
      });
    }
    await assert.rejects(create({ prompt: [[999]] }), /Token id 999 is outside the vocabulary of 8/);
    const failing = create({ prompt: ['the', 'cat'], model: 'none', stream: true });
    await assert.rejects(failing, NotFoundError, 'what fails before the first token is no stream');
    const unknown = await fetch(`${openai.baseURL}/nothing`);
    assert.equal(unknown.status, 404);
    assert.equal(((await unknown.json()) as { error: { code: string } }).error.code, 'route-not-found');
  });

  test('sends its key as bearer token', async (t) => {
    const key = 'k'.repeat(32);
    const executor = inProcess;
    const service = await startService(t, { executor, environment: { apiKeys: [key] } });
    await importTiny(service, t, 'tiny', key);
    await assert.rejects(clientOf(service, 'wrong').completions.create(ASKED), (error) => {
      assert.ok(error instanceof AuthenticationError);
      assert.equal(error.code, 'invalid_api_key');
      return true;
    });
    assert.ok((await clientOf(service, key).completions.create(ASKED)).choices[0]?.text);
  });

  test('is told when a text breaks off in its middle', async (t) => {
    class Breaking extends InProcessExecutor {
      override run: InProcessExecutor['run'] = async (task, options) => {
        if (task.type !== 'generate') return super.run(task, options);
        (options as RunOptions).onPart?.({ text: 'so far', tokens: 1 });
        throw new Error('it broke');
      };
    }
    const { openai } = await start(t, { executor: (dataDir: string) => new Breaking(dataDir) });
    const texts: (string | undefined)[] = [];
    const read = async () => {
      for await (const { choices } of await openai.completions.create({ ...ASKED, stream: true }))
        texts.push(choices[0]?.text);
    };
    await assert.rejects(read(), APIError);
    assert.deepEqual(texts, ['so far']);
  });
});

/** A service with an experiment named tiny whose generations do not end by themselves. */
async function startEndless(t: TestContext) {
  const service = await startService(t);
  const { body } = await request(service.address)
    .post('/experiments/import')
    .attach('model', Buffer.from('w'), 'model')
    .attach('vocabulary', Buffer.from('v'), 'vocabulary')
    .field('name', 'tiny')
    .expect(201);
  service.inference.isEndless = true;
  return { service, id: body.id as string };
}

async function untilCancelled(inference: FakeInferenceExecutor): Promise<void> {
  while (inference.cancelled === 0) await new Promise((resume) => setImmediate(resume));
}

test('a client that leaves stops its generation, streamed or not', { timeout: 20_000 }, async (t) => {
  const { service } = await startEndless(t);
  const openai = clientOf(service);
  const asked = { model: 'tiny', prompt: 'a' };
  const stream = await openai.completions.create({ ...asked, stream: true });
  for await (const _ of stream) break; // closes the connection
  await untilCancelled(service.inference);

  service.inference.cancelled = 0;
  const controller = new AbortController();
  const waiting = openai.completions.create(asked, { signal: controller.signal });
  while (service.inference.tasks.length < 3) await new Promise((resume) => setImmediate(resume));
  controller.abort();
  await assert.rejects(waiting, OpenAI.APIUserAbortError);
  await untilCancelled(service.inference);
});

test('a server that stops ends its streams of text', { timeout: 20_000 }, async (t) => {
  const { service } = await startEndless(t);
  const stream = await clientOf(service).completions.create({ model: 'tiny', prompt: 'a', stream: true });
  const reasons: (string | null)[] = [];
  for await (const { choices } of stream) {
    if (reasons.length === 0) void service.close();
    reasons.push(choices[0]!.finish_reason);
  }
  assert.equal(reasons.at(-1), 'stop');
});

test('/generate streams its text and then the whole answer', async (t) => {
  const { service } = await startEndless(t);
  service.inference.isEndless = false;
  const get = (query: string) =>
    request(service.address).get(`/generate?${query}`).set('accept', 'text/event-stream');
  const { text, headers } = await get('experiment=tiny&prompt=a&maxTokens=7').expect(200);
  assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8');
  const events = text
    .trimEnd()
    .split('\n\n')
    .map((event) => /^event: (\w+)\ndata: (.*)$/.exec(event)!.slice(1));
  assert.deepEqual(
    events.map(([type]) => type),
    ['text', 'text', 'done'],
  );
  const [one, two, done] = events.map(([, data]) => JSON.parse(data!));
  assert.equal(one.text + two.text, done.text);
  assert.equal(done.tokens, 7);
  const refused = await get('experiment=nobody').expect(404);
  assert.equal(refused.headers['content-type'], 'application/problem+json; charset=utf-8');
});
