import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { UnknownWordCoder } from '../tokenizers/unknown-word-coder.js';
import { type Corpus, type CorpusText, type PerSplit, SPLIT_NAMES } from './corpus.js';
import { StatisticsCounter } from './corpus-statistics.js';

/** Reads all splits of a text with a tokenizer. */
export function encodeCorpus(text: CorpusText, tokenizer: Tokenizer): Corpus {
  const { vocabulary } = tokenizer;
  const hidden = { train: 0, valid: 0, test: 0 };
  const splits = mapSplits((split) => {
    const coder = new UnknownWordCoder();
    return tokenizer.encode(text.splits[split], (word) => {
      hidden[split] += coder.charge(word);
    });
  });
  const bytes = mapSplits((split) => Buffer.byteLength(text.splits[split], 'utf8'));
  const statistics = mapSplits((split) =>
    new StatisticsCounter(vocabulary).add(splits[split]).result(bytes[split]),
  );
  const { id, name, source, digest } = text;
  return { id, name, source, digest, tokenizer, vocabulary, splits, bytes, hiddenNats: hidden, statistics };
}

/** One value for each split. */
export function mapSplits<Value>(make: (split: keyof PerSplit<Value>) => Value): PerSplit<Value> {
  const [train, valid, test] = SPLIT_NAMES.map(make);
  return { train: train!, valid: valid!, test: test! };
}
