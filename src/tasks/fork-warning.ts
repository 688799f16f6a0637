import type { TrainingEvent } from '../contracts/events.js';
import { type Corpus, MAX_UNKNOWN_RATE } from '../corpora/corpus.js';

/** What a user should know about a fork on another text: that the parent's vocabulary lacks much of it. */
export function forkWarning({ statistics, tokenizer }: Corpus): TrainingEvent | null {
  const { unknownRate } = statistics.valid;
  if (unknownRate <= MAX_UNKNOWN_RATE) return null;
  const what = tokenizer.type === 'character' ? 'characters' : 'words';
  return {
    type: 'warning',
    data: {
      epoch: 0,
      kind: 'unknown-words',
      message: `${Math.round(unknownRate * 100)} % of the ${what} of valid are <unk>: the vocabulary lacks them`,
      advice: 'Fork with growVocabulary: true, which adds those of the train split',
    },
  };
}
