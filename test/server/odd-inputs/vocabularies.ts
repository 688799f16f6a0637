/** Vocabularies, tokenizer.json and config.json beside a model from elsewhere. */
import { TINY_VOCABULARY } from '../../support/tiny-bundle.js';
import { type Ask, field, file, type OddInput, type Part, postForm } from './ask.js';
import type { World } from './world.js';

const model = ({ bundle }: World) => bundle.get('model.safetensors')!;
const tokenizer = ({ bundle }: World) => JSON.parse(Buffer.from(bundle.get('tokenizer.json')!).toString());
const vocabulary = file('vocabulary', TINY_VOCABULARY, 'vocabulary.txt');

const importing = (parts: (world: World) => readonly Part[]): Ask => postForm('/experiments/import', parts);
/** The model as it is beside other files. */
const beside = (...parts: Part[]) => importing((world) => [file('model', model(world)), ...parts]);
// biome-ignore lint/suspicious/noExplicitAny: a file that is broken on purpose
const tokenized = (change: (json: any) => unknown) =>
  importing((world) => {
    const json = tokenizer(world);
    const text = change(json) ?? json;
    return [
      file('model', model(world)),
      file('tokenizer', typeof text === 'string' ? text : JSON.stringify(text)),
    ];
  });

export const vocabularyInputs: readonly OddInput[] = [
  ['a vocabulary with CR LF', beside(file('vocabulary', TINY_VOCABULARY.replaceAll('\n', '\r\n'))), 201],
  ['a vocabulary without a last line end', beside(file('vocabulary', TINY_VOCABULARY.trimEnd())), 201],
  ['a vocabulary with a mark', beside(file('vocabulary', `\ufeff${TINY_VOCABULARY}`)), 201],
  [
    'a vocabulary in UTF-16',
    beside(file('vocabulary', Buffer.from(`\ufeff${TINY_VOCABULARY}`, 'utf16le'))),
    400,
    /vocabulary.*UTF-8/,
  ],
  [
    'a vocabulary with a blank line',
    beside(file('vocabulary', TINY_VOCABULARY.replace('cat', ''))),
    400,
    /line 4 is empty/,
  ],
  [
    'a vocabulary with blank lines at its end',
    beside(file('vocabulary', `${TINY_VOCABULARY}\n\n`)),
    400,
    /line 9 is empty/,
  ],
  [
    'a vocabulary with a token twice',
    beside(file('vocabulary', TINY_VOCABULARY.replace('dog', 'cat'))),
    400,
    /duplicate token "cat"/,
  ],
  [
    'a vocabulary with a token of two words',
    beside(file('vocabulary', TINY_VOCABULARY.replace('dog', 'hot dog'))),
    201, // it may be written; what is read never has it
  ],
  [
    'a vocabulary with counts behind the tokens',
    beside(file('vocabulary', TINY_VOCABULARY.replaceAll('\n', '\t7\n'))),
    400,
    /white space|<unk>/,
  ],
  [
    'a vocabulary with spaces behind its tokens',
    beside(file('vocabulary', TINY_VOCABULARY.replaceAll('\n', ' \n'))),
    400,
    /white space|<unk>/,
  ],
  [
    'a vocabulary with a token more than the weights',
    beside(file('vocabulary', `${TINY_VOCABULARY}cow\n`)),
    400,
    /tensor-mismatch/,
  ],
  ['an empty vocabulary', beside(file('vocabulary', '')), 400, /vocabulary/],
  ['a vocabulary in JSON', beside(file('vocabulary', '{"<unk>":0}')), 400, /<unk>/],
  [
    'a vocabulary and a tokenizer',
    importing((world) => [
      file('model', model(world)),
      vocabulary,
      file('tokenizer', JSON.stringify(tokenizer(world))),
    ]),
    400,
    /not both|vocabulary/,
  ],
  ['a tokenizer with a mark', tokenized((json) => `\ufeff${JSON.stringify(json)}`), 201],
  ['a tokenizer that is null', tokenized(() => 'null'), 400, /tokenizer\.json/],
  ['a tokenizer that is a list', tokenized(() => '[]'), 400, /tokenizer\.json/],
  [
    'a tokenizer with ids that begin at 1',
    tokenized((json) => {
      for (const key of Object.keys(json.model.vocab)) json.model.vocab[key]++;
    }),
    400,
    /tokenizer-invalid/,
  ],
  [
    'a tokenizer with one id twice',
    tokenized((json) => {
      json.model.vocab.dog = 2;
    }),
    400,
    /tokenizer-invalid/,
  ],
  [
    'a tokenizer with a negative id',
    tokenized((json) => {
      json.model.vocab.dog = -1;
    }),
    400,
    /tokenizer-invalid/,
  ],
  [
    'a tokenizer with an id as text',
    tokenized((json) => {
      json.model.vocab.dog = '7';
    }),
    400,
    /tokenizer-invalid/,
  ],
  [
    'a tokenizer without its unknown token',
    tokenized((json) => {
      json.model.unk_token = '[UNK]';
    }),
    400,
    /tokenizer-invalid/,
  ],
  [
    'a tokenizer with the token __proto__',
    tokenized((json) => JSON.stringify(json).replace('"dog"', '"__proto__"')),
    201,
  ],
  [
    'a tokenizer of word pieces',
    tokenized((json) => {
      json.model.type = 'WordPiece';
    }),
    400,
    /tokenizer-invalid/,
  ],
  [
    'a tokenizer with a pattern that takes for ever',
    tokenized((json) => {
      json.pre_tokenizer = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Removed', invert: true };
    }),
    400,
    /tokenizer-invalid/,
  ],
  [
    'a tokenizer that cuts what is too long',
    tokenized((json) => {
      json.truncation = { max_length: 5, strategy: 'LongestFirst', stride: 0, direction: 'Right' };
    }),
    400,
    /truncation/,
  ],
  ['a config with a mark', beside(vocabulary, file('config', '\ufeff{}')), 201],
  ['a config that is empty', beside(vocabulary, file('config', '')), 400, /config/],
  ['a config that is a list', beside(vocabulary, file('config', '[]')), 400, /config/],
  [
    'a config of Hugging Face',
    beside(vocabulary, file('config', '{"architectures":["GPT2LMHeadModel"],"n_layer":12}')),
    400,
    /architectures|unknown key/,
  ],
  ['a config with comments', beside(vocabulary, file('config', '{} // sizes')), 400, /config/],
  [
    'a name of an import of 201 characters',
    beside(vocabulary, field('name', 'n'.repeat(201))),
    400,
    { field: 'name' },
  ],
  ['a name of an import with a line end', beside(vocabulary, field('name', 'a\nb')), 400, { field: 'name' }],
];
