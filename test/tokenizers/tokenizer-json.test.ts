import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenizerConfig } from '../../src/contracts/corpus.js';
import { createTokenizer } from '../../src/tokenizers/create-tokenizer.js';
import { parseTokenizerJson } from '../../src/tokenizers/tokenizer-json.js';

type Json = Record<string, unknown>;

function valid(
  type: 'word' | 'character' | 'byte-pair',
): Json & { model: Json & { vocab: Record<string, unknown> } } {
  const config = TokenizerConfig.parse({ type, minCount: 1, vocabularySize: 300 });
  return JSON.parse(JSON.stringify(createTokenizer(config, 'a cab, a cab\nthe cab', 'prose')));
}

function refused(value: unknown, message: RegExp): void {
  const json = typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value);
  assert.throws(() => parseTokenizerJson(json), { code: 'tokenizer-invalid', message });
}

describe('a hostile tokenizer.json is refused with what is wrong:', () => {
  it('not JSON, not UTF-8, not an object', () => {
    refused('{"version": "1.0", ', /not JSON/);
    refused(Buffer.from([0x7b, 0xff, 0x7d]), /not JSON in UTF-8/);
    for (const value of [null, [], 3, 'x', {}]) refused(JSON.stringify(value), /tokenizer\.json: /);
    refused('['.repeat(100_000), /not JSON/);
  });

  it('a file that is too large, before it is parsed', () => {
    refused(Buffer.alloc(64 * 1024 * 1024 + 1, ' '), /exceed the limit of 67108864/);
  });

  it('another kind of model or another pipeline', () => {
    refused({ ...valid('word'), model: { type: 'Unigram', vocab: [] } }, /model/);
    refused({ ...valid('word'), pre_tokenizer: { type: 'Metaspace' } }, /pre_tokenizer/);
    refused({ ...valid('byte-pair'), normalizer: { type: 'NFC' } }, /normalizer/);
    refused({ ...valid('byte-pair'), added_tokens: [{ id: 300, content: '<s>' }] }, /added tokens/);
  });

  it('ids that are not 0 … size − 1, each once', () => {
    for (const id of [0, -1, 1e9, 0.5, '3', null, {}]) {
      const json = valid('word');
      json.model.vocab.cab = id;
      refused(json, id === 0 || id === -1 || id === 1e9 ? /each once/ : /integer/);
    }
  });

  it('a vocabulary without what it must have', () => {
    for (const [type, token] of [
      ['word', '<unk>'],
      ['word', '<eos>'],
      ['character', '\n'],
    ] as const) {
      const json = valid(type);
      json.model.vocab[`other ${token}`] = json.model.vocab[token];
      delete json.model.vocab[token];
      refused(json, /lacks/);
    }
    const json = valid('byte-pair');
    json.model.vocab.zz = json.model.vocab['!'];
    delete json.model.vocab['!'];
    refused(json, /lacks the byte 33/);
  });

  it('tokens that are no bytes, empty, or lone surrogates', () => {
    for (const [type, token, message] of [
      ['byte-pair', '日', /byte alphabet/],
      ['word', '', /empty/],
      ['word', '\ud800', /lone surrogate/],
      ['word', 'x'.repeat(100_001), /too long/],
    ] as const) {
      const json = valid(type);
      json.model.vocab[token] = Object.keys(json.model.vocab).length;
      refused(json, message);
    }
  });

  it('merges of unknown tokens, of other shapes, or twice', () => {
    for (const merge of ['a', 'a b c', 'q zzz', ['a'], ['a', 'zzz'], 3, null, ' ']) {
      const json = valid('byte-pair');
      (json.model.merges as unknown[]).push(merge);
      refused(json, /merge/);
    }
    const json = valid('byte-pair');
    const merges = json.model.merges as unknown[];
    refused({ ...json, model: { ...json.model, merges: [...merges, merges[0]] } }, /twice/);
  });

  it('anything else that a mutation makes of a good one: refused, or a tokenizer that works', () => {
    const good = JSON.stringify(valid('byte-pair'));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: good.length - 1 }),
        fc.integer({ min: 0, max: 8 }),
        fc.string({ maxLength: 4 }),
        (at, removed, inserted) => {
          const json = good.slice(0, at) + inserted + good.slice(at + removed);
          try {
            const tokenizer = parseTokenizerJson(json);
            assert.equal(tokenizer.decode(tokenizer.encode('a cab é')), 'a cab é');
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'tokenizer-invalid', String(error));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('tokenizer.json', () => {
  it('reads merges written as pairs too, as newer versions of Hugging Face do', () => {
    const json = valid('byte-pair');
    const merges = (json.model.merges as string[]).map((merge) => merge.split(' '));
    const read = parseTokenizerJson(JSON.stringify({ ...json, model: { ...json.model, merges } }));
    assert.deepEqual(JSON.parse(JSON.stringify(read)), json);
  });
});
