/** Our tokenizers beside what Hugging Face's own code makes of their tokenizer.json, as it was recorded. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseTokenizerJson } from '../../src/tokenizers/tokenizer-json.js';
import { HUGGING_FACE_CONFIGS, ODD_TEXTS, trainTokenizer } from '../support/odd-texts.js';

interface Recorded {
  readonly package: string;
  readonly results: readonly { config: object; ids: string[]; decoded: string[] }[];
}

const HINT = 'after a change of the texts: test/fixtures/hugging-face-ids.mjs records again';
const file = join(import.meta.dirname, '../../../test/fixtures/hugging-face-ids.json');
const recorded = JSON.parse(readFileSync(file, 'utf8')) as Recorded;

describe(`ids and texts are those of npm’s ${recorded.package}`, () => {
  it('for the same tokenizers', () =>
    assert.deepEqual(
      recorded.results.map(({ config }) => config),
      HUGGING_FACE_CONFIGS,
      HINT,
    ));

  for (const { config, ids, decoded } of recorded.results) {
    const name = JSON.stringify(config);
    const trained = trainTokenizer(config);
    // What was written and read again has to do the same.
    for (const [how, tokenizer] of Object.entries({
      learned: trained,
      read: parseTokenizerJson(JSON.stringify(trained)),
    }))
      it(`of ${name}, ${how}`, () => {
        assert.equal(ids.length, ODD_TEXTS.length, HINT);
        for (const [at, text] of ODD_TEXTS.entries()) {
          const own = tokenizer.encode(text);
          assert.equal(own.join(' '), ids[at], `${name} on ${JSON.stringify(text.slice(0, 80))}`);
          if (tokenizer.vocabulary.unknownId === null)
            assert.equal(tokenizer.decode(own), decoded[at], JSON.stringify(text.slice(0, 80)));
        }
      });
  }
});
