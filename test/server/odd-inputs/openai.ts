/** What clients of OpenAI's API send, rightly or not, to /v1. */
import assert from 'node:assert/strict';
import { type Answer, type Ask, get, type OddInput, post } from './ask.js';
import { SMALL_RUN } from './world.js';

const complete = (rest: object, model = 'words'): Ask =>
  post('/v1/completions', { model, prompt: 'the', max_tokens: 3, seed: 1, ...rest });
const wrong = (field: string, says?: RegExp) => ({ field, ...(says && { says }) });
const first = (answer: Answer) => answer.json().choices[0];
const json = (text: string) => post('/v1/completions', text);

export const openAiInputs: readonly OddInput[] = [
  [
    'a completion without a model',
    post('/v1/completions', { prompt: 'the' }),
    400,
    wrong('model', /is missing/),
  ],
  ['a completion of an empty model', complete({}, ''), 400, wrong('model')],
  [
    'a completion of OpenAI’s model',
    complete({}, 'gpt-3.5-turbo-instruct'),
    404,
    wrong('model', /model_not_found/),
  ],
  ['a completion by the id of a model', complete({}, '{words}'), 200],
  [
    'a completion without a prompt',
    complete({ prompt: undefined }),
    200,
    (answer) => assert.equal(answer.json().usage.prompt_tokens, 0),
  ],
  ['a completion of no prompt in a list', complete({ prompt: [] }), 400, wrong('prompt')],
  ['a completion of texts and ids in a list', complete({ prompt: ['the', 2] }), 400],
  ['a completion of an empty list of ids', complete({ prompt: [[]] }), 400],
  ['a completion of ids that are not whole', complete({ prompt: [2.5] }), 400],
  ['a completion of an id that is negative', complete({ prompt: [-1] }), 400],
  ['a completion of an id that is the size of the vocabulary', complete({ prompt: [8] }), 400, /Token id 8/],
  [
    'a completion of messages',
    complete({ messages: [{ role: 'user', content: 'hi' }] }),
    400,
    wrong('messages'),
  ],
  [
    'a completion with the name of the newer limit',
    complete({ max_completion_tokens: 5 }),
    400,
    wrong('max_completion_tokens', /unknown key/),
  ],
  ['a completion of max_tokens as text', complete({ max_tokens: '5' }), 400, wrong('max_tokens')],
  [
    'a completion of max_tokens minus one, as some servers take for no limit',
    complete({ max_tokens: -1 }),
    400,
    wrong('max_tokens'),
  ],
  [
    'a completion of no token without echo',
    complete({ max_tokens: 0 }),
    200,
    (answer) => assert.equal(first(answer).text, ''),
  ],
  [
    'a completion of all that may be null',
    complete({
      suffix: null,
      temperature: null,
      top_p: null,
      n: null,
      stream: null,
      logprobs: null,
      echo: null,
      stop: null,
      presence_penalty: null,
      frequency_penalty: null,
      best_of: null,
      logit_bias: null,
      user: null,
      seed: null,
      stream_options: null,
    }),
    200,
  ],
  [
    'a completion of top_p 0',
    complete({ top_p: 0, temperature: 1 }),
    200,
    async (answer, world) =>
      assert.equal(first(answer).text, first(await complete({ temperature: 0 })(world)).text),
  ],
  [
    'a completion of the smallest seed',
    json('{"model":"words","prompt":"the","max_tokens":2,"seed":-9223372036854775808}'),
    200,
  ],
  [
    'a completion of the largest seed, twice',
    json('{"model":"words","prompt":"the","max_tokens":20,"n":2,"seed":9223372036854775807}'),
    200,
    (answer) => assert.notEqual(answer.json().choices[0].text, answer.json().choices[1].text),
  ],
  ['a completion of a seed that is not whole', complete({ seed: 0.5 }), 400, wrong('seed')],
  ['a completion of six logprobs', complete({ logprobs: 6 }), 400, wrong('logprobs', /at most 5/)],
  ['a completion of logprobs as chat has them', complete({ logprobs: true, top_logprobs: 2 }), 400],
  [
    'a completion of no logprob',
    complete({ logprobs: 0 }),
    200,
    (answer) => assert.equal(first(answer).logprobs.tokens.length, 3),
  ],
  [
    'a completion of all biases at the lowest',
    complete({ logit_bias: Object.fromEntries(Array.from({ length: 8 }, (_, id) => [id, -100])) }),
    200,
    (answer) => assert.equal(answer.json().usage.completion_tokens, 3),
  ],
  ['a completion of a bias of 101', complete({ logit_bias: { 2: 101 } }), 400, wrong('logit_bias.2')],
  [
    'a completion of a bias for a word',
    complete({ logit_bias: { cat: 1 } }),
    400,
    wrong('logit_bias.cat', /token id/),
  ],
  [
    'a completion of a bias for <unk>',
    complete({ logit_bias: { 0: 100 } }),
    200,
    (answer) => assert.doesNotMatch(first(answer).text, /<unk>/),
  ],
  ['a completion of an empty stop string', complete({ stop: '' }), 400, wrong('stop')],
  ['a completion of an empty list of stop strings', complete({ stop: [] }), 200],
  ['a completion of a stop string that is a number', complete({ stop: [5] }), 400],
  [
    'a completion of 128 texts',
    complete({ n: 128, max_tokens: 1 }),
    200,
    (answer) => assert.equal(answer.json().choices.length, 128),
  ],
  ['a completion of 129 texts', complete({ n: 129 }), 400, wrong('n')],
  ['a completion of the best of two', complete({ best_of: 2 }), 400, wrong('best_of')],
  ['a completion of the best of as many as are asked for', complete({ n: 2, best_of: 2 }), 200],
  ['a completion with an empty suffix', complete({ suffix: '' }), 200],
  ['a completion with a suffix', complete({ suffix: ' end' }), 400, wrong('suffix', /not supported/)],
  ['a completion with a field of vLLM', complete({ guided_json: {} }), 400, wrong('guided_json')],
  ['a completion with a field of llama.cpp', complete({ n_predict: 5 }), 400, wrong('n_predict')],
  ['a completion that is streamed as text', complete({ stream: 'true' }), 400, wrong('stream')],
  [
    'a completion with options of a stream that it is not',
    complete({ stream_options: { include_usage: true } }),
    200,
    (answer) => assert.equal(answer.json().usage.completion_tokens, 3),
  ],
  ['a stream of a model that is not there', complete({ stream: true }, 'none'), 404, wrong('model')],
  ['a stream of no token', complete({ stream: true, max_tokens: 0 }), 200, /data: \[DONE\]/],
  [
    'a stream of a prompt that is echoed',
    complete({ stream: true, echo: true, max_tokens: 0 }),
    200,
    /"text":"the"/,
  ],
  [
    'a stream that breaks off within a character',
    complete({ stream: true, max_tokens: 1, logit_bias: { 195: 100 } }, 'bytes'),
    200,
    (answer) => assert.doesNotMatch(answer.text, /\\ud[89a-f]/i),
  ],
  ['a completion in JSON that is broken', json('{"model":'), 400, /valid JSON/],
  ['a completion with a lone surrogate', json('{"model":"bytes","prompt":"\\ud83d"}'), 400, /lone surrogate/],
  [
    'a completion as a form',
    post('/v1/completions', 'model=words', { 'content-type': 'application/x-www-form-urlencoded' }),
    415,
    /application\/json/,
  ],
  ['a completion by GET', get('/v1/completions'), 405],
  ['a completion at a path with v1 twice', post('/v1/v1/completions', {}), 404],
  ['embeddings', post('/v1/embeddings', { input: 'a' }), 404, /do not provide embeddings/],
  [
    'a model whose name has a slash',
    async (world) => {
      await post('/experiments', { ...SMALL_RUN, name: 'org/untrained' })(world);
      return get('/v1/models/org%2Funtrained')(world);
    },
    409,
  ],
  ['a model that is not there', get('/v1/models/none'), 404, wrong('model')],
  ['a model of an id of dots', get('/v1/models/%2e%2e'), 404],
  [
    'the deletion of a model',
    async ({ app }) => {
      const { statusCode, body, headers } = await app.inject({ method: 'DELETE', url: '/v1/models/words' });
      return { status: statusCode, text: body, headers, json: () => JSON.parse(body) };
    },
    405,
  ],
];
