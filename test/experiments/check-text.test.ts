import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CorpusInfo } from '../../src/contracts/corpus.js';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { checkText } from '../../src/experiments/check-text.js';

/** Corpora with one text, the same in all splits but for its length. */
function corporaOf(text: string, defaultPreTokenizer: CorpusInfo['defaultPreTokenizer'] = 'lossless') {
  const splits = { train: text, valid: text.slice(-Math.ceil(text.length / 20)), test: text.slice(0, 2000) };
  const statistics = (split: keyof typeof splits) => ({
    ...{ tokens: 1, types: 1, unknownRate: 0, longestLine: 1 },
    bytes: Buffer.byteLength(splits[split]),
  });
  const info = {
    id: 'x',
    digest: text,
    available: true,
    defaultPreTokenizer,
    statistics: { train: statistics('train'), valid: statistics('valid'), test: statistics('test') },
  } as unknown as CorpusInfo;
  return {
    describe: async () => info,
    preview: async (id: string, split: keyof typeof splits, characters: number) => ({
      id,
      split,
      text: splits[split].slice(0, characters),
      truncated: splits[split].length > characters,
    }),
  };
}

function check(text: string, fields: object, defaultPreTokenizer?: CorpusInfo['defaultPreTokenizer']) {
  const config = resolveExperimentInput({ preset: 'rnnlm', corpus: 'x', ...fields });
  return checkText(corporaOf(text, defaultPreTokenizer), config);
}

const PROSE = Array.from(
  { length: 3000 },
  (_, i) => `the cat ${i % 7} sat on the mat, ${'abcdefg'[i % 7]} times\n`,
).join('');

describe('checkText', () => {
  it('refuses a batch that the text cannot fill, with one that would fit', async () => {
    const asked = check(PROSE.slice(0, 40_000), {
      tokenizer: { type: 'word', preTokenizer: 'prose' },
      training: { batchSize: 512, bpttLength: 256 },
    });
    await assert.rejects(asked, (error: Error & { code?: string }) => {
      assert.equal(error.code, 'corpus-too-short');
      const [, n, t] = /batchSize (\d+) with bpttLength (\d+) would fit/.exec(error.message)!;
      assert.match(error.message, /at least 131073 are needed \(batchSize 512 × bpttLength 256 \+ 1\)/);
      return Number(n) * Number(t) * 10 < 12_000 && Number(n) * Number(t) > 100;
    });
  });

  it('judges a long text by its beginning', async () => {
    const long = PROSE.repeat(10);
    const fields = { tokenizer: { type: 'character' } };
    assert.deepEqual(await check(long, { ...fields, training: { batchSize: 64, bpttLength: 128 } }), []);
    await assert.rejects(check(long, { ...fields, training: { batchSize: 4096, bpttLength: 1024 } }), {
      code: 'corpus-too-short',
      message: /by an estimate from its beginning/,
    });
  });

  it('says what a tokenizer cannot use: text without white space as words', async () => {
    const dna = 'ACGT'.repeat(5000);
    await assert.rejects(check(dna, { tokenizer: { type: 'word', preTokenizer: 'prose' } }), {
      code: 'corpus-too-short',
      message: /The train split has 1 tokens/,
    });
    assert.deepEqual(await check(dna, { tokenizer: { type: 'character' } }), []);
  });

  it('warns of unknown words over 5 %, not of those that the text itself has', async () => {
    const rare = Array.from(
      { length: 4000 },
      (_, i) => `common word ${i % 3 === 0 ? `w${i}` : 'again'}\n`,
    ).join('');
    const prose = { type: 'word', preTokenizer: 'prose' };
    const [warning] = await check(rare, { tokenizer: prose });
    assert.match(warning!, /8 % of the words of valid are <unk>.*"lossless" spells them/);
    const ptb = rare.replace(/w\d+/g, '<unk>');
    assert.deepEqual(await check(ptb, { tokenizer: { type: 'word' } }, 'whitespace'), []);
  });

  it('warns of a vocabulary that is too large, and of an epoch of few steps', async () => {
    const words = Array.from({ length: 1500 }, (_, i) => `w${i % 700} x${(i * 31) % 650}\n`).join('');
    const training = { batchSize: 16, bpttLength: 32 };
    const [steps, vocabulary] = await check(words, {
      tokenizer: { type: 'word', preTokenizer: 'prose' },
      training,
    });
    assert.match(steps!, /An epoch has 8 steps.*batchSize \d+ with bpttLength \d+ would give more/);
    assert.match(vocabulary!, /vocabulary of 1352 tokens is large.*vocabularySize 300 would suit it/);
  });

  it('says nothing of a corpus that is not here yet', async () => {
    const corpora = corporaOf(PROSE);
    const describe = async () => ({ ...(await corpora.describe()), available: false });
    const config = resolveExperimentInput({ preset: 'rnnlm', corpus: 'ptb' });
    assert.deepEqual(await checkText({ ...corpora, describe }, config), []);
  });

  it('leaves the event loop to others while byte pairs are learned', async () => {
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await check(PROSE, { tokenizer: { type: 'byte-pair', vocabularySize: 1000 } });
    isDone = true;
    assert.ok(turns > 100, `${turns} turns`);
  });
});
