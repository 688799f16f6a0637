import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import {
  type PreTokenizer,
  type SplitStatistics,
  type StoredCorpusManifest,
  TokenizerConfig,
} from '../contracts/corpus.js';
import { VocabularyTraining } from '../tokenizers/create-tokenizer.js';
import { isWhiteSpace } from '../tokenizers/segmenter.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import type { PerSplit } from './corpus.js';
import { StatisticsCounter } from './corpus-statistics.js';
import { DuplicateLines } from './duplicate-lines.js';
import { TextReader } from './text-bytes.js';

/** What the manifest of a corpus says about its text. */
export interface TextFileStatistics extends Pick<StoredCorpusManifest, 'characters' | 'duplicates'> {
  readonly statistics: SplitStatistics;
  /** Size of the vocabulary that the train split gives. */
  readonly types: number;
  /** Characters of each split that are not white space. */
  readonly visible: PerSplit<number>;
}

/**
 * Figures of a text in files, with the default word tokenizer, read in pieces so that other work of the process goes on.
 */
export async function measureTextFiles(
  paths: PerSplit<string>,
  preTokenizer: PreTokenizer,
): Promise<TextFileStatistics> {
  const config = TokenizerConfig.parse({ type: 'word' });
  if (config.type !== 'word') throw new TypeError('the default tokenizer is one of words');
  const training = new VocabularyTraining(config, preTokenizer);
  for await (const text of readPieces(paths.train)) training.add(text);
  const tokenizer = training.finish();

  const duplicates = new DuplicateLines();
  for await (const text of readLines(paths.train)) duplicates.addTrain(text);
  const [train, valid, test] = [
    await measureFile(paths.train, tokenizer),
    await measureFile(paths.valid, tokenizer),
    await measureFile(paths.test, tokenizer),
  ];
  return {
    statistics: { train: train.statistics, valid: valid.statistics, test: test.statistics },
    types: tokenizer.vocabulary.size,
    characters: { train: train.characters, valid: valid.characters, test: test.characters },
    visible: { train: train.visible, valid: valid.visible, test: test.visible },
    duplicates: {
      valid: await duplicateShare(paths.valid, duplicates),
      test: await duplicateShare(paths.test, duplicates),
    },
  };
}

async function measureFile(path: string, tokenizer: Tokenizer) {
  const counter = new StatisticsCounter(tokenizer.vocabulary);
  let [characters, visible] = [0, 0];
  for await (const text of readPieces(path)) {
    counter.add(tokenizer.encode(text));
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if ((code & 0xfc00) === 0xdc00) continue; // the second half of a pair
      characters++;
      if (!isWhiteSpace(code)) visible++;
    }
  }
  return { statistics: counter.result((await stat(path)).size), characters, visible };
}

async function duplicateShare(path: string, duplicates: DuplicateLines): Promise<number> {
  const counter = duplicates.counter();
  for await (const text of readLines(path)) counter.add(text);
  return counter.share();
}

/** A text file in pieces that end before white space that follows something else, so that no word is cut. */
function readPieces(path: string): AsyncGenerator<string> {
  return readUpTo(path, (text) => {
    for (let at = text.length - 1; at > 0; at--)
      if (isWhiteSpace(text.charCodeAt(at)) && !isWhiteSpace(text.charCodeAt(at - 1))) return at;
    return 0;
  });
}

/** A text file in pieces of whole lines. */
function readLines(path: string): AsyncGenerator<string> {
  return readUpTo(path, (text) => text.lastIndexOf('\n') + 1);
}

async function* readUpTo(path: string, lastEnd: (text: string) => number): AsyncGenerator<string> {
  const reader = new TextReader();
  let held: string[] = [];
  for await (const chunk of createReadStream(path)) {
    const text = reader.push(chunk);
    const end = lastEnd(text);
    if (end > 0) {
      yield held.join('') + text.slice(0, end);
      held = [];
    }
    held.push(text.slice(end));
  }
  yield held.join('') + reader.end();
}
