/** Prompts, texts to score, alternatives to rank, and texts of sessions. */
import assert from 'node:assert/strict';
import { type Answer, type Ask, get, type OddInput, post } from './ask.js';

const generate = (experiment: string, prompt: string, rest: object = {}): Ask =>
  post('/generate', { experiment, prompt, maxTokens: 3, seed: 1, ...rest });
const score = (experiment: string, text: string, rest: object = {}): Ask =>
  post('/score', { experiment, text, ...rest });
const stream = (text: string | Buffer, headers = { 'content-type': 'text/plain' }): Ask =>
  post('/score/stream?experiment=bytes', text, headers);
const rank = (experiment: string, prompt: string, alternatives: unknown): Ask =>
  post('/rank', { experiment, prompt, alternatives });
const covers = (text: string) => (answer: Answer) => {
  const { tokens } = answer.json();
  assert.equal(tokens[0].start, 0);
  assert.equal(tokens.at(-1).end, Buffer.byteLength(text));
  for (const [at, token] of tokens.entries()) if (at > 0) assert.equal(token.start, tokens[at - 1].end);
};
const threeTokens = (answer: Answer) => assert.equal(answer.json().tokens, 3);
const raw = (body: string) => post('/generate', body);
const FAMILY = '👨‍👩‍👧';
const feed =
  (text: unknown): Ask =>
  async (world) => {
    const session = (await post('/sessions', { experiment: 'bytes', prompt: 'the' })(world)).json();
    return post(`/sessions/${session.id}/feed`, { text })(world);
  };
export const promptInputs: readonly OddInput[] = [
  ['a prompt of line ends', generate('words', '\n\n\n'), 200, threeTokens],
  ['a prompt of spaces', generate('words', '     '), 200, threeTokens],
  [
    'a prompt of spaces for bytes',
    generate('bytes', '     '),
    200,
    (answer) => assert.equal(answer.json().promptTokens, 5),
  ],
  ['a prompt of one combining mark', generate('bytes', '\u0301'), 200, threeTokens],
  ['a prompt that ends within a cluster', generate('bytes', '👨\u200d'), 200, threeTokens],
  ['a prompt of NUL', generate('bytes', '\0'), 200, threeTokens],
  ['a prompt of NUL for words', generate('words', '\0'), 200],
  ['a byte-order mark before a prompt', generate('words', '\ufeffthe cat'), 200],
  ['a prompt of unknown characters', generate('characters', '日本語'), 200, threeTokens],
  ['a prompt of the tokens of a vocabulary', generate('words', '<unk> <eos> the'), 200, threeTokens],
  ['a prompt in the alphabet of the bytes', generate('bytes', 'ĠtheĊ'), 200, threeTokens],
  ['a prompt with CR LF', generate('words', 'the cat\r\nsat'), 200, threeTokens],
  ['a prompt with separators of lines', generate('words', 'the\u2028cat\u0085sat'), 200, threeTokens],
  ['a word of 100,000 characters', generate('words', 'x'.repeat(100_000)), 200, threeTokens],
  [
    'ten thousand unknown words',
    generate('words', 'x y '.repeat(5000)),
    200,
    (answer) => assert.deepEqual(answer.json().unknownWords, ['x', 'y']),
  ],
  [
    'a prompt of clusters, returned as it was',
    generate('bytes', FAMILY.repeat(10)),
    200,
    (answer) => assert.equal(answer.json().prompt, FAMILY.repeat(10)),
  ],
  ['a prompt that is a list', generate('words', ['the'] as unknown as string), 400, { field: 'prompt' }],
  ['a prompt that is null', raw('{"prompt":null}'), 400, { field: 'prompt' }],
  [
    'a prompt with a high surrogate at its end',
    raw('{"experiment":"bytes","prompt":"the \\ud83d"}'),
    400,
    /lone surrogate at byte 4/,
  ],
  [
    'a prompt with surrogates in reverse',
    raw('{"experiment":"bytes","prompt":"\\udc4d\\ud83d"}'),
    400,
    /lone surrogate at byte 0/,
  ],
  [
    'a stop string that is a lone surrogate',
    raw('{"experiment":"words","prompt":"the","stop":["\\ud83d"]}'),
    200,
  ],
  [
    'a prompt in a query with plus signs',
    get('/generate?experiment=words&prompt=the+cat&maxTokens=1'),
    200,
    (answer) => assert.equal(answer.json().prompt, 'the cat'),
  ],
  [
    'a prompt in a query with %2B',
    get('/generate?experiment=bytes&prompt=%2B&maxTokens=1'),
    200,
    (answer) => assert.equal(answer.json().prompt, '+'),
  ],
  [
    'a prompt in a query with an ampersand',
    get('/generate?experiment=bytes&prompt=a%26b&maxTokens=1'),
    200,
    (answer) => assert.equal(answer.json().prompt, 'a&b'),
  ],
  ['a prompt twice in a query', get('/generate?prompt=the&prompt=cat'), 400, { field: 'prompt' }],
  ['a text to score of one space', score('bytes', ' '), 200],
  ['a text to score of one space, for words', score('words', ' '), 400, /token|white space|words/],
  ['a text to score of one line end', score('words', '\n'), 200],
  [
    'a text to score of unknown words only',
    score('words', 'zebra quagga'),
    200,
    (answer) => assert.deepEqual(answer.json().unknownWords, ['zebra', 'quagga']),
  ],
  ['a text to score of unknown characters', score('characters', '日本'), 200, covers('日本')],
  [
    'a text to score with all of UTF-8’s lengths',
    score('bytes', 'aü語👍\u{10ffff}'),
    200,
    covers('aü語👍\u{10ffff}'),
  ],
  ['a text to score with NUL', score('bytes', 'a\0b'), 200, covers('a\0b')],
  ['a text to score with marks', score('bytes', '\ufeffa\ufeff'), 200, covers('\ufeffa\ufeff')],
  ['a text to score with CR LF', score('bytes', 'a\r\nb\r'), 200, covers('a\r\nb\r')],
  ['an empty text to score', score('words', ''), 400, { field: 'text' }],
  ['no text to score', post('/score', {}), 400, { field: 'text', says: /either text or texts/ }],
  ['both kinds of texts to score', post('/score', { text: 'the', texts: ['cat'] }), 400, { field: 'text' }],
  ['an empty text among others to score', post('/score', { texts: ['the', ''] }), 400, { field: 'texts.1' }],
  [
    'a text to score with a lone surrogate',
    post('/score', '{"experiment":"bytes","text":"a\\ud83d"}'),
    400,
    /lone surrogate at byte 1/,
  ],
  [
    'a unit that is not there',
    score('words', 'the cat', { inspect: true, units: [{ layer: 0, unit: 7 }] }),
    400,
    /unit/,
  ],
  [
    'a layer that is not there',
    score('words', 'the cat', { inspect: true, units: [{ layer: 2, unit: 0 }] }),
    400,
    /layer/,
  ],
  [
    'an ablation of a layer that is not there',
    score('words', 'the cat', { inspect: true, ablate: [{ layer: 9, units: [0] }] }),
    400,
    /layer/,
  ],
  [
    'an ablation of a unit twice',
    score('words', 'the cat', { inspect: true, ablate: [{ layer: 0, units: [0, 0] }] }),
    200,
  ],
  [
    'more alternatives than tokens',
    score('words', 'the cat', { inspect: true, alternatives: 100 }),
    200,
    (answer) => assert.equal(answer.json().tokens[0].inside.alternatives.length, 8),
  ],
  ['more tokens than are inspected', score('bytes', 'x'.repeat(2001), { inspect: true }), 400, /2000/],
  ['a stream to score that is empty', stream(''), 400],
  ['a stream to score that is a mark', stream('\ufeff'), 400],
  [
    'a stream to score in Latin-1',
    stream(Buffer.from('caf\xe9 au lait', 'latin1')),
    400,
    /corpus-not-text|not UTF-8/,
  ],
  [
    'a stream to score that says that it is Latin-1',
    stream('cafe', { 'content-type': 'text/plain; charset=iso-8859-1' }),
    415,
  ],
  ['a stream to score as JSON', stream('{"text":"a"}', { 'content-type': 'application/json' }), 415],
  ['an alternative of white space', rank('bytes', 'the', [' ', '  ']), 200],
  [
    'an alternative of white space, for words',
    rank('words', 'the', [' ', ' cat']),
    400,
    /alternatives|token/,
  ],
  [
    'alternatives that are the same',
    rank('words', 'the', [' cat', ' cat']),
    200,
    (answer) =>
      assert.deepEqual(
        answer.json().items.map(({ share }: { share: number }) => Math.round(share * 1000)),
        [500, 500],
      ),
  ],
  [
    'one alternative',
    rank('words', 'the', [' cat']),
    200,
    (answer) => assert.equal(answer.json().items[0].share, 1),
  ],
  ['no alternative', rank('words', 'the', []), 400, { field: 'alternatives' }],
  ['an empty alternative', rank('words', 'the', ['']), 400, { field: 'alternatives.0' }],
  [
    'an alternative that ends within a character',
    post('/rank', '{"experiment":"bytes","prompt":"the","alternatives":["\\ud83d"]}'),
    400,
    /lone surrogate/,
  ],
  ['alternatives that continue a word of the prompt', rank('bytes', 'the ca', ['t', 'r']), 200],
  ['alternatives without a prompt', rank('words', '', ['the', 'cat']), 200],
  [
    'alternatives of unknown words of lengths that differ',
    rank('words', 'the', [' quagga', ' zebra']),
    200,
    (answer) =>
      assert.ok(answer.json().items.every(({ logprob }: { logprob: number }) => Number.isFinite(logprob))),
  ],
  ['a session fed with nothing', feed(''), 400, { field: 'text' }],
  ['a session fed with half a cluster', feed('👨\u200d'), 200],
  ['a session fed with a number', feed(7), 400, { field: 'text' }],
  ['a session that is not there', post('/sessions/none/generate', {}), 404, /session-not-found/],
  ['an evaluation of a text of one token', post('/experiments/{words}/evaluate', { text: 'the' }), 200],
  ['an evaluation of white space', post('/experiments/{words}/evaluate', { text: '   ' }), 400],
  [
    'an evaluation of a text and a split',
    post('/experiments/{words}/evaluate', { text: 'the cat', split: 'test' }),
    400,
  ],
  [
    'an evaluation on a corpus that is not there',
    post('/experiments/{words}/evaluate', { corpus: 'nowhere' }),
    404,
    /corpus-not-found/,
  ],
];
