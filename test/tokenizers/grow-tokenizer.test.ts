import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TokenizerConfig } from '../../src/contracts/corpus.js';
import { AppError } from '../../src/errors.js';
import { createTokenizer } from '../../src/tokenizers/create-tokenizer.js';
import { growTokenizer } from '../../src/tokenizers/grow-tokenizer.js';
import { unknownWords } from '../../src/tokenizers/tokenizer.js';
import { parseTokenizerJson } from '../../src/tokenizers/tokenizer-json.js';

const OLD = 'the cat sat on the mat\n'.repeat(3);
const NEW = 'the dog sat on the log, or the cog\nthe dog sat\nthe log sat\n';
const ANY_COUNT = { minCount: 1, vocabularySize: null };

function grow(config: object, limits: Pick<TokenizerConfig, 'minCount' | 'vocabularySize'> = ANY_COUNT) {
  const small = createTokenizer(TokenizerConfig.parse(config), OLD, 'prose');
  return { small, grown: growTokenizer(small, limits, { train: NEW, isTokenized: false }) };
}

for (const config of [
  { type: 'character' },
  { type: 'word' },
  { type: 'word', preTokenizer: 'whitespace', lowercase: true },
  { type: 'word', preTokenizer: 'lossless' },
])
  describe(`growTokenizer, ${JSON.stringify(config)}`, () => {
    it('keeps the ids of the known tokens and knows the new text afterwards', () => {
      const { small, grown } = grow(config);
      assert.deepEqual(grown.vocabulary.tokens.slice(0, small.vocabulary.size), small.vocabulary.tokens);
      assert.ok(grown.vocabulary.size > small.vocabulary.size);
      assert.equal(grown.vocabulary.eosId, small.vocabulary.eosId);
      assert.equal(grown.vocabulary.unknownId, small.vocabulary.unknownId);
      assert.deepEqual(grown.encode(OLD), small.encode(OLD));
      assert.deepEqual(unknownWords(grown, NEW), []);
      assert.ok(grown.encode(NEW).length <= small.encode(NEW).length);
    });

    it('is the same at each attempt, and after a round trip through tokenizer.json', () => {
      const { grown } = grow(config);
      assert.deepEqual(grow(config).grown.vocabulary.tokens, grown.vocabulary.tokens);
      const read = parseTokenizerJson(JSON.stringify(grown.toJSON()));
      assert.deepEqual(read.vocabulary.tokens, grown.vocabulary.tokens);
      assert.deepEqual(read.encode(NEW), grown.encode(NEW));
    });

    it('adds nothing for a text that it knows', () => {
      const { grown } = grow(config);
      const again = growTokenizer(grown, ANY_COUNT, { train: NEW, isTokenized: false });
      assert.deepEqual(again.vocabulary.tokens, grown.vocabulary.tokens);
    });

    it('adds the most frequent tokens up to a size', () => {
      const { small, grown } = grow(config, {
        minCount: 1,
        vocabularySize: grow(config).small.vocabulary.size + 1,
      });
      assert.equal(grown.vocabulary.size, small.vocabulary.size + 1);
      const added = grown.vocabulary.tokens.at(-1)!;
      assert.ok(['dog', 'Ġdog', 'g'].includes(added), added);
    });
  });

describe('growTokenizer', () => {
  it('leaves rare words out, as a new vocabulary does', () => {
    const { grown } = grow({ type: 'word' }, { minCount: null, vocabularySize: null });
    assert.deepEqual(unknownWords(grown, NEW), [',', 'or', 'cog']);
  });

  it('refuses byte pairs, which know everything', () => {
    const isConflict = (error: unknown) => error instanceof AppError && error.code === 'config-conflict';
    assert.throws(() => grow({ type: 'byte-pair', vocabularySize: 260 }), isConflict);
  });
});
