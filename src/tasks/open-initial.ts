import { type InitialModel, openInitialModel } from '../checkpoints/initial-model.js';
import type { FileSource, TrainingJob } from '../contracts/jobs.js';
import { readCorpusText } from '../corpora/load-corpus.js';
import { pathOf } from '../files/layout.js';
import { growWeights } from '../models/grow-weights.js';
import { growTokenizer } from '../tokenizers/grow-tokenizer.js';

/**
 * What a fork begins with, its vocabulary extended by the words of its corpus if the config says so; null = not a fork. The
 * same at each attempt.
 * @throws checkpoint-corrupt, tokenizer-invalid, config-conflict, corpus-not-found, corpus-unavailable
 */
export async function openInitial(
  { initial, config }: TrainingJob,
  source: FileSource,
): Promise<InitialModel | null> {
  if (initial === null) return null;
  if (!config.growVocabulary) return openInitialModel(pathOf(source.dataDirectory, initial));
  const { splits, defaultPreTokenizer } = await readCorpusText(config.corpus, source);
  const parent = openInitialModel(pathOf(source.dataDirectory, initial));
  const isTokenized = defaultPreTokenizer === 'whitespace';
  const tokenizer = growTokenizer(parent.tokenizer, config.tokenizer, { train: splits.train, isTokenized });
  const weights = growWeights(config.model, tokenizer.vocabulary.size, parent.weights);
  return { tokenizer, weights };
}
