/** Names of corpora, and what is asked of a corpus. */
import assert from 'node:assert/strict';
import { type Ask, field, file, get, inTurn, type OddInput, post, postForm } from './ask.js';
import { TEXT } from './world.js';

const named = (name: string): Ask => postForm('/corpora', [field('name', name), file('file', TEXT)]);
const isNamed = (name: string) => (answer: { json(): { name: string } }) =>
  assert.equal(answer.json().name, name);

export const corpusInputs: readonly OddInput[] = [
  ['a corpus of the name of another', named('small'), 409, /corpus-exists/],
  ['a corpus of the name of a known one', named('ptb'), 409, /corpus-exists/],
  ['a corpus of the name of another in capitals', named('Small'), 201],
  [
    'a corpus of the id of another',
    inTurn(async (world) => named(world.ids.corpus!)(world)),
    409,
    /corpus-exists/,
  ],
  ['a name with spaces around it', named('  spaced  '), 201, isNamed('spaced')],
  ['a name of spaces', named('   '), 400, { field: 'name' }],
  [
    'a name of another normal form',
    inTurn(named('cafe\u0301'), get('/corpora/caf%C3%A9')),
    200,
    isNamed('café'),
  ],
  ['a name that is an emoji', inTurn(named('📚'), get('/corpora/%F0%9F%93%9A')), 200, isNamed('📚')],
  [
    'a name from right to left',
    inTurn(named('نص عربي'), get(`/corpora/${encodeURIComponent('نص عربي')}/preview`)),
    200,
  ],
  ['a name with a slash', named('org/text'), 400, { field: 'name', says: /none of \/ / }],
  ['a name of dots', named('..'), 400, { field: 'name' }],
  ['a name that ends with a dot', named('text.'), 400, { field: 'name', says: /must not end with a dot/ }],
  ['a name with a line end', named('a\nb'), 400, { field: 'name' }],
  ['a name that turns the direction', named('a\u202etxt'), 400, { field: 'name' }],
  ['a name of invisible characters', named('a\u200b'), 400, { field: 'name' }],
  ['a name of 101 characters', named('n'.repeat(101)), 400, { field: 'name', says: /at most 100/ }],
  ['a name of 100 emojis', named('📚'.repeat(100)), 201],
  ['a name that Windows keeps for a device', inTurn(named('con'), get('/corpora/con')), 200],
  ['a name %2e%2e in the path', get('/corpora/%2e%2e%2fsecrets'), 400, { field: 'name' }],
  ['a corpus that is not there, with a name nearly right', get('/corpora/smal'), 404, /corpus-not-found/],
  [
    'tokens of a corpus by a tokenizer that is none',
    post('/corpora/small/tokens', { tokenizer: { type: 'wordpiece' } }),
    400,
    { field: 'tokenizer.type' },
  ],
  [
    'tokens of a corpus by too small a vocabulary',
    post('/corpora/small/tokens', { tokenizer: { type: 'word', vocabularySize: 2 } }),
    400,
    /vocabularySize/,
  ],
  ['a preview of no character', get('/corpora/small/preview?characters=0'), 400, { field: 'characters' }],
  [
    'a preview of a split that is none',
    get('/corpora/small/preview?split=validation'),
    400,
    { field: 'split', says: /one of "train", "valid", "test"/ },
  ],
];
