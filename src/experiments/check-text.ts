import type { CorpusInfo, TokenFigures, TokenizerConfig } from '../contracts/corpus.js';
import type { ExperimentConfig } from '../contracts/experiment-config.js';
import { leastTokens, MAX_UNKNOWN_RATE } from '../corpora/corpus.js';
import { fittingBatch } from '../corpora/token-figures.js';
import { appError } from '../errors.js';
import type { Corpora } from './corpora.js';
import { measureCorpus } from './measure-corpus.js';

/** An estimate may be wrong by so much. */
const ESTIMATE_MARGIN = 1.5;
/** Tokens of train for each one of the vocabulary, below which most are seen too seldom. */
const MIN_TOKENS_PER_TYPE = 10;
const MIN_STEPS = 10;

/**
 * Whether a text is enough for what a config asks of it.
 * @returns what will do, but not well, and what would do better; nothing for a corpus that was not downloaded yet
 * @throws corpus-too-short where the training could not begin, with what would fit; config-conflict
 */
export async function checkText(
  corpora: Pick<Corpora, 'describe' | 'preview'>,
  { corpus, tokenizer, training }: Pick<ExperimentConfig, 'corpus' | 'tokenizer' | 'training'>,
): Promise<string[]> {
  const info = await corpora.describe(corpus);
  if (!info.available) return [];
  const figures = await measureCorpus(corpora, info, tokenizer);
  assertFits(figures, tokenizer, training);
  return [
    ...warnOfSteps(figures, training),
    ...warnOfUnknown(figures, tokenizer),
    ...warnOfVocabulary(figures, info, tokenizer),
  ];
}

type Shape = Pick<ExperimentConfig['training'], 'batchSize' | 'bpttLength'>;

function assertFits({ tokens, isExact }: TokenFigures, tokenizer: TokenizerConfig, training: Shape): void {
  const { batchSize, bpttLength } = training;
  const least = leastTokens(training);
  if (tokens.train * (isExact ? 1 : ESTIMATE_MARGIN) < least) {
    const fitting = fittingBatch(tokens.train, training);
    const estimated = isExact ? '' : ', by an estimate from its beginning';
    throw appError('corpus-too-short', {
      split: 'train',
      tokens: tokens.train,
      least,
      why: ` (batchSize ${batchSize} × bpttLength ${bpttLength} + 1${estimated}); batchSize ${fitting.batchSize} with bpttLength ${fitting.bpttLength} would fit`,
    });
  }
  for (const split of ['valid', 'test'] as const) {
    if (tokens[split] >= 2) continue;
    const other =
      tokenizer.type === 'character' ? '' : '; the tokenizer "character" makes more of the same text';
    throw appError('corpus-too-short', { split, tokens: tokens[split], least: 2, why: other });
  }
}

function warnOfSteps({ tokens }: TokenFigures, training: Shape): string[] {
  const steps = Math.floor((tokens.train - 1) / (training.batchSize * training.bpttLength));
  if (steps >= MIN_STEPS) return [];
  const { batchSize, bpttLength } = fittingBatch(tokens.train, training);
  return [
    `An epoch has ${Math.max(1, steps)} steps: the text has about ${tokens.train} tokens, a batch ${training.batchSize * training.bpttLength}. batchSize ${batchSize} with bpttLength ${bpttLength} would give more`,
  ];
}

function warnOfUnknown({ unknownRate }: TokenFigures, tokenizer: TokenizerConfig): string[] {
  if (unknownRate <= MAX_UNKNOWN_RATE) return [];
  const what = tokenizer.type === 'character' ? 'characters' : 'words';
  const better =
    tokenizer.type === 'character'
      ? 'the tokenizer "byte-pair" knows all'
      : 'preTokenizer "lossless" spells them, the tokenizers "byte-pair" and "character" know them';
  return [
    `${Math.round(unknownRate * 100)} % of the ${what} of valid are <unk>: the model will guess <unk> and learn little of the text. ${better[0]!.toUpperCase()}${better.slice(1)}`,
  ];
}

function warnOfVocabulary(
  { tokens, vocabularySize }: TokenFigures,
  { statistics }: CorpusInfo,
  tokenizer: TokenizerConfig,
): string[] {
  if (tokenizer.type === 'character' || tokens.train >= vocabularySize * MIN_TOKENS_PER_TYPE) return [];
  const bytes = statistics?.train.bytes ?? 0;
  const better = Math.max(300, Math.round(1.5 * Math.sqrt(bytes)));
  if (better >= vocabularySize) return [];
  return [
    `The vocabulary of ${vocabularySize} tokens is large for a text of about ${tokens.train} tokens: most are seen too seldom to be learned. vocabularySize ${better} would suit it`,
  ];
}
