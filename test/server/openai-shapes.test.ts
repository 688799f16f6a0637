/** Answers of /v1/completions beside the documented shapes of OpenAI's legacy endpoint, as evaluation harnesses read them. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import OpenAI from 'openai';
import request from 'supertest';
import { trainBytePairTokenizer } from '../../src/tokenizers/byte-pair-tokenizer.js';
import { useBackend } from '../support/backend.js';
import { inProcess } from '../support/in-process-executor.js';
import { startService, temporaryFolder } from '../support/service.js';
import { tinyBundle } from '../support/tiny-bundle.js';

type Choice = OpenAI.CompletionChoice;
/** What the reference says may be null, which the client's types do not. */
interface Logprobs {
  readonly tokens: string[];
  readonly token_logprobs: (number | null)[];
  readonly top_logprobs: (Record<string, number> | null)[];
  readonly text_offset: number[];
}

const MODEL = 'tiny';
/** A model over bytes and few pairs: its texts break off within characters. */
const BYTES = 'bytes';
const BYTE_PAIRS = { vocabularySize: 262, minCount: 1, lowercase: false };

describe('/v1/completions beside OpenAI’s legacy endpoint', () => {
  useBackend();

  async function start(t: TestContext) {
    const service = await startService(t, { executor: inProcess });
    const bytes = trainBytePairTokenizer('the cat sat ü 👍', BYTE_PAIRS);
    for (const [name, tokenizer] of Object.entries({ [BYTES]: bytes, [MODEL]: undefined })) {
      const bundle = tinyBundle(temporaryFolder(t), { tokenizer });
      await request(service.address)
        .post('/experiments/import')
        .attach('model', Buffer.from(bundle.get('model.safetensors')!), 'model')
        .attach('tokenizer', Buffer.from(bundle.get('tokenizer.json')!), 'tokenizer')
        .field('name', name)
        .expect(201);
    }
    const openai = new OpenAI({ apiKey: 'none', baseURL: `${service.address}/v1`, maxRetries: 0 });
    return { openai, address: service.address };
  }

  test('whatever is asked for, the parts of an answer fit together, whole as streamed', async (t) => {
    const { openai } = await start(t);
    const word = fc.constantFrom('the', 'cat', 'sat', 'on', 'mat', 'zebra', 'Ünï', '👍🏽', '');
    const space = fc.constantFrom(' ', '  ', '\n', '');
    const text = fc.array(fc.tuple(word, space), { maxLength: 6 }).map((parts) => parts.flat().join(''));
    const asked = fc.record({
      model: fc.constantFrom(MODEL, BYTES),
      prompt: fc.oneof(text, fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 6 })),
      max_tokens: fc.nat({ max: 5 }),
      temperature: fc.constantFrom(0, 1),
      logprobs: fc.constantFrom(undefined, 0, 1, 5),
      echo: fc.boolean(),
      n: fc.constantFrom(1, 2),
      seed: fc.nat(),
      stop: fc.constantFrom(undefined, ['cat'], ['\n']),
    });
    await fc.assert(
      fc.asyncProperty(asked, async ({ logprobs, stop, ...rest }) => {
        const body = {
          ...rest,
          ...(logprobs !== undefined && { logprobs }),
          ...(stop && { stop: [...stop] }),
        };
        const whole = await openai.completions.create(body);
        assert.equal(whole.choices.length, body.n);
        for (const [index, choice] of whole.choices.entries()) {
          assert.equal(choice.index, index);
          assertChoice(choice, body);
        }
        const { prompt_tokens, completion_tokens, total_tokens } = whole.usage!;
        assert.equal(total_tokens, prompt_tokens + completion_tokens);
        assert.deepEqual(await joinStream(openai, body), whole.choices);
      }),
      { seed: 11, numRuns: 100 },
    );
  });

  /** What the reference says of one choice. */
  function assertChoice(
    { text, finish_reason, logprobs }: Choice,
    asked: { logprobs?: number; echo: boolean; temperature: number; max_tokens: number; prompt: unknown },
  ): void {
    assert.ok(finish_reason === 'stop' || finish_reason === 'length');
    if (asked.echo && typeof asked.prompt === 'string') assert.ok(text.startsWith(asked.prompt));
    if (asked.logprobs === undefined) {
      assert.equal(logprobs, null);
      return;
    }
    const { tokens, token_logprobs, top_logprobs, text_offset } = logprobs as unknown as Logprobs;
    for (const list of [token_logprobs, top_logprobs, text_offset]) assert.equal(list.length, tokens.length);
    if (finish_reason === 'length') assert.equal(tokens.join(''), text, 'the tokens joined are the text');
    else assert.ok(tokens.join('').startsWith(text.trimEnd()), 'a stop string cuts the last token');
    let offset = 0;
    for (const [at, token] of tokens.entries()) {
      assert.equal(text_offset[at], offset);
      offset += token.length;
      const top = top_logprobs[at]!;
      if (asked.echo && at === 0 && token_logprobs[0] === null) {
        assert.equal(top, null);
        continue;
      }
      assert.ok(Object.hasOwn(top, token), `${JSON.stringify(token)} is a key of ${JSON.stringify(top)}`);
      assert.equal(top[token], token_logprobs[at]);
      assert.ok(token_logprobs[at]! <= 1e-6);
      assert.ok(Object.keys(top).length <= asked.logprobs + 1);
    }
  }

  async function joinStream(
    openai: OpenAI,
    body: OpenAI.CompletionCreateParamsNonStreaming,
  ): Promise<Choice[]> {
    const joined: Choice[] = [];
    const stream = await openai.completions.create({ ...body, stream: true });
    for await (const { choices } of stream)
      for (const { index, text, finish_reason, logprobs } of choices) {
        const before = joined[index];
        const parts = [before?.logprobs, logprobs].filter((part) => part != null) as unknown as Logprobs[];
        joined[index] = {
          text: (before?.text ?? '') + text,
          index,
          finish_reason: finish_reason ?? before?.finish_reason ?? ('' as 'stop'),
          logprobs: (body.logprobs == null
            ? null
            : {
                tokens: parts.flatMap(({ tokens }) => tokens),
                token_logprobs: parts.flatMap((part) => part.token_logprobs),
                top_logprobs: parts.flatMap((part) => part.top_logprobs),
                text_offset: parts.flatMap((part) => part.text_offset),
              }) as unknown as Choice['logprobs'],
        };
      }
    return joined.map(({ text, index, logprobs, finish_reason }) => ({
      text,
      index,
      logprobs,
      finish_reason,
    }));
  }

  test('a prompt is scored by echo, logprobs and max_tokens 0 as /score scores it', async (t) => {
    const { openai, address } = await start(t);
    const text = 'the cat sat on the mat';
    const { choices } = await openai.completions.create({
      model: MODEL,
      prompt: text,
      max_tokens: 0,
      echo: true,
      logprobs: 1,
    });
    const { tokens, token_logprobs } = choices[0]!.logprobs as unknown as Logprobs;
    assert.deepEqual(tokens, ['the', ' cat', ' sat', ' on', ' the', ' mat']);
    assert.equal(token_logprobs[0], null);
    const { body } = await request(address).post('/score').send({ text }).expect(200);
    for (const [at, { surprisal }] of body.tokens.entries())
      if (at > 0) assert.ok(Math.abs(token_logprobs[at]! + surprisal) < 1e-4);
    const ids = [2, 3, 4];
    const ofIds = await openai.completions.create({
      model: MODEL,
      prompt: [ids],
      max_tokens: 1,
      echo: true,
      logprobs: 1,
    });
    assert.equal((ofIds.choices[0]!.logprobs as unknown as Logprobs).tokens.length, 4);
  });

  test('a prompt that ends with a space is gone on with by one space, not two', async (t) => {
    const { openai, address } = await start(t);
    const { choices } = await openai.completions.create({
      model: MODEL,
      prompt: 'the cat ',
      max_tokens: 2,
      echo: true,
      logit_bias: { 1: -100 }, // no line ends
      temperature: 0,
    });
    assert.match(choices[0]!.text, /^the cat \S+ \S+$/);
    for (const beams of [1, 2]) {
      const { body } = await request(address)
        .post('/generate')
        .send({ experiment: MODEL, prompt: 'the cat ', maxTokens: 4, beams, temperature: 0 })
        .expect(200);
      assert.match(body.text, /^[^ ]+/, `${beams} beams`);
    }
  });

  test('a bias for a token that is not there is refused as a prompt of it is', async (t) => {
    const { address } = await start(t);
    const { body } = await request(address)
      .post('/v1/completions')
      .send({ model: MODEL, prompt: 'the', max_tokens: 1, logit_bias: { 9999: 5 } })
      .expect(400);
    assert.equal(body.error.message, 'Token id 9999 is outside the vocabulary of 8 tokens');
  });
});
