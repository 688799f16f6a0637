/** Settings of sampling at the ends of what they may be, and states of sessions that are broken. */
import assert from 'node:assert/strict';
import { type Answer, type Ask, get, type OddInput, post } from './ask.js';

const sample = (rest: object): Ask =>
  post('/generate', { experiment: 'words', prompt: 'the', maxTokens: 4, seed: 1, ...rest });
const fourTokens = (answer: Answer) => assert.equal(answer.json().tokens, 4);
/** As many tokens, and the same text as the greedy one. */
const isGreedy = async (answer: Answer, world: Parameters<Ask>[0]) =>
  assert.equal(answer.json().text, (await sample({ temperature: 0 })(world)).json().text);
const wrong = (field: string) => ({ field });

interface State {
  readonly digest: string;
  readonly tokens: number;
  readonly point: { readonly state: string; readonly tail: readonly number[] };
}
/** A session that begins with a state which was changed. */
const restore =
  (change: (state: State) => unknown): Ask =>
  async (world) => {
    const { id } = (await post('/sessions', { experiment: 'words', prompt: 'the cat' })(world)).json();
    const state = (await get(`/sessions/${id}/state`)(world)).json<State>();
    const begun = await post('/sessions', { experiment: 'words', state: change(state) })(world);
    if (begun.status !== 201) return begun;
    return post(`/sessions/${begun.json().id}/generate`, { maxTokens: 2 })(world);
  };
const vectors = ({ point }: State, value: number) => {
  const values = new Float32Array(Buffer.from(point.state, 'base64').length / 4).fill(value);
  return Buffer.from(values.buffer).toString('base64');
};
const withPoint = (state: State, point: object) => ({ ...state, point: { ...state.point, ...point } });

export const samplingInputs: readonly OddInput[] = [
  ['the smallest double as a temperature', sample({ temperature: 5e-324 }), 200, isGreedy],
  ['a temperature below what a float holds', sample({ temperature: 1e-40 }), 200, isGreedy],
  ['the highest temperature', sample({ temperature: 100 }), 200, fourTokens],
  ['a temperature beyond the highest', sample({ temperature: 100.1 }), 400, wrong('temperature')],
  ['the smallest double as topP', sample({ topP: 5e-324 }), 200, isGreedy],
  ['a minP of 1', sample({ minP: 1 }), 200, isGreedy],
  ['a topK of 1', sample({ topK: 1 }), 200, isGreedy],
  ['a topK beyond the vocabulary', sample({ topK: 1_000_000 }), 200, fourTokens],
  ['all limits at once', sample({ topK: 1, topP: 1e-9, minP: 1, temperature: 100 }), 200, fourTokens],
  ['the smallest double as a penalty', sample({ repetitionPenalty: 5e-324 }), 200, fourTokens],
  ['a repetition penalty below 1', sample({ repetitionPenalty: 1e-9 }), 200, fourTokens],
  [
    'the highest penalties',
    sample({ repetitionPenalty: 10, presencePenalty: 100, frequencyPenalty: 100 }),
    200,
    fourTokens,
  ],
  ['the lowest penalties', sample({ presencePenalty: -100, frequencyPenalty: -100 }), 200, fourTokens],
  [
    'penalties and the smallest temperature',
    sample({ repetitionPenalty: 5e-324, temperature: 5e-324 }),
    200,
    fourTokens,
  ],
  ['a seed that is not whole', sample({ seed: 0.5 }), 400, wrong('seed')],
  [
    'a seed of 2³² − 1 and several texts',
    sample({ seed: 0xffff_ffff, n: 3 }),
    200,
    (answer) => assert.equal(answer.json().choices.length, 3),
  ],
  ['sixteen stop strings', sample({ stop: Array.from({ length: 16 }, (_, i) => `stop${i}`) }), 200],
  ['seventeen stop strings', sample({ stop: Array(17).fill('a') }), 400, wrong('stop')],
  ['a stop string that the prompt ends with', sample({ prompt: 'the cat', stop: ['cat'] }), 200],
  [
    'a stop string of a space',
    sample({ stop: [' '] }),
    200,
    (answer) => assert.equal(answer.json().finishReason, 'stop'),
  ],
  [
    'a stop string within a character',
    post('/generate', { experiment: 'bytes', prompt: 'the', maxTokens: 5, stop: ['\ufffd'] }),
    200,
  ],
  ['a stop string as text instead of a list', sample({ stop: 'cat' }), 400, wrong('stop')],
  ['more beams than tokens', sample({ beams: 64 }), 200],
  ['more texts than beams', sample({ beams: 2, n: 5 }), 400],
  ['a penalty for length of 0', sample({ beams: 3, lengthPenalty: 0 }), 200],
  ['the highest penalty for length', sample({ beams: 3, lengthPenalty: 10 }), 200],
  ['beams and a stop string', sample({ beams: 3, stop: ['cat'] }), 200],
  ['sixty-five texts', sample({ n: 65 }), 400, wrong('n')],
  ['a number in hexadecimal', get('/generate?maxTokens=0x10'), 400, wrong('maxTokens')],
  ['a number with a unit', get('/generate?maxTokens=10k'), 400, wrong('maxTokens')],
  ['a number with an underscore', get('/generate?maxTokens=1_0'), 400, wrong('maxTokens')],
  ['a number of full-width digits', get('/generate?maxTokens=%EF%BC%95'), 400, wrong('maxTokens')],
  ['a number with spaces', get('/generate?maxTokens=%205'), 400, wrong('maxTokens')],
  [
    'a number by exponent',
    get('/generate?experiment=words&maxTokens=1e0'),
    200,
    (answer) => assert.equal(answer.json().tokens, 1),
  ],
  ['an empty number', get('/generate?temperature='), 400, wrong('temperature')],
  ['a truth as 1', get('/generate?suppressUnknown=1'), 400, wrong('suppressUnknown')],
  ['a truth in capitals', get('/generate?suppressUnknown=True'), 400, wrong('suppressUnknown')],
  ['a list in brackets, as PHP writes it', get('/generate?stop[]=a'), 400, wrong('stop[]')],
  [
    'OpenAI’s name of a setting',
    sample({ max_tokens: 5 }),
    400,
    { field: 'max_tokens', says: /did you mean "maxTokens"/ },
  ],
  ['a state as it was', restore((state) => state), 200],
  ['a state of other weights', restore((state) => ({ ...state, digest: 'f'.repeat(64) })), 409],
  [
    'a state that is cut',
    restore((state) => withPoint(state, { state: state.point.state.slice(0, -8) })),
    400,
    /state/,
  ],
  [
    'a state that is empty',
    restore((state) => withPoint(state, { state: '' })),
    400,
    wrong('state.point.state'),
  ],
  [
    'a state that is not base64',
    restore((state) => withPoint(state, { state: '***' })),
    400,
    wrong('state.point.state'),
  ],
  [
    'a state of NaN',
    restore((state) => withPoint(state, { state: vectors(state, Number.NaN) })),
    400,
    /state/,
  ],
  [
    'a state of infinities',
    restore((state) => withPoint(state, { state: vectors(state, Number.POSITIVE_INFINITY) })),
    400,
    /state/,
  ],
  [
    'a state of the largest floats',
    restore((state) => withPoint(state, { state: vectors(state, 3e38) })),
    200,
  ],
  [
    'a state whose last token is beyond the vocabulary',
    restore((state) => withPoint(state, { tail: [8] })),
    400,
    /token/i,
  ],
  [
    'a state without a last token',
    restore((state) => withPoint(state, { tail: [] })),
    400,
    wrong('state.point.tail'),
  ],
  [
    'a state with a prompt',
    async (world) =>
      post('/sessions', {
        experiment: 'words',
        prompt: 'the',
        state: { digest: 'x', tokens: 1, point: { state: null, tail: [1] } },
      })(world),
    400,
    wrong('prompt'),
  ],
];
