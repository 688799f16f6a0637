import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { SplitStatistics } from '../contracts/corpus.js';
import { chooseVocabulary, countTokens } from '../tokenizers/frequency-vocabulary.js';
import { SegmentTokenizer } from '../tokenizers/segment-tokenizer.js';
import type { PerSplit } from './corpus.js';
import { StatisticsCounter } from './corpus-statistics.js';
import { TextReader } from './text-bytes.js';
import { STORED_PRE_TOKENIZER } from './uploaded-corpora.js';

/**
 * Figures of a text in files, with the default word tokenizer, read in pieces so that other work of the process goes on.
 * @returns `types`: size of the vocabulary that the train split gives
 */
export async function measureTextFiles(
  paths: PerSplit<string>,
): Promise<{ statistics: SplitStatistics; types: number }> {
  const counts = new Map<string, number>();
  for await (const text of readPieces(paths.train)) countTokens(STORED_PRE_TOKENIZER, false, text, counts);
  const limits = { vocabularySize: null, minCount: null, hasUnknown: false };
  const vocabulary = chooseVocabulary(STORED_PRE_TOKENIZER, counts, limits);
  const tokenizer = new SegmentTokenizer({ segmenter: STORED_PRE_TOKENIZER, lowercase: false, vocabulary });
  const measure = async (path: string) => {
    const counter = new StatisticsCounter(vocabulary);
    for await (const text of readPieces(path)) counter.add(tokenizer.encode(text));
    return counter.result((await stat(path)).size);
  };
  const statistics = {
    train: await measure(paths.train),
    valid: await measure(paths.valid),
    test: await measure(paths.test),
  };
  return { statistics, types: vocabulary.size };
}

/** A text file in pieces that end at white space, so that no word is cut. */
async function* readPieces(path: string): AsyncGenerator<string> {
  const reader = new TextReader();
  let held: string[] = [];
  for await (const chunk of createReadStream(path)) {
    const text = reader.push(chunk);
    const end = Math.max(text.lastIndexOf(' '), text.lastIndexOf('\n')) + 1;
    if (end > 0) {
      yield held.join('') + text.slice(0, end);
      held = [];
    }
    held.push(text.slice(end));
  }
  yield held.join('') + reader.end();
}
