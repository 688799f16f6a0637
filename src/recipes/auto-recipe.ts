import type { TokenizerConfig } from '../contracts/corpus.js';
import type { BackendReport } from '../contracts/jobs.js';
import { AUTO_BASE, type Preset } from '../contracts/presets.js';
import type { TextProfile } from './text-profile.js';
import { chooseWordRecipe, type SizedRecipe } from './word-recipe.js';

export interface AutoRequest {
  readonly profile: TextProfile;
  /** Time to train, in seconds. */
  readonly budgetSeconds: number;
  /** Null before a training host has started: taken for the simplest kernels. */
  readonly backend: Pick<BackendReport, 'kernels' | 'instructions'> | null;
  /** A text whose published results are per word, such as PTB. */
  readonly isWordBenchmark: boolean;
  /** Tokenizer settings of the request; sizes are adapted to them. */
  readonly tokenizer?: Partial<TokenizerConfig> | undefined;
}

export interface AutoRecipe {
  readonly config: Preset['config'];
  /** One sentence per choice. */
  readonly reasons: string[];
}

export const DEFAULT_BUDGET_SECONDS = 120;

/** Below: logs, tables and notations, where characters gave better results than byte pairs (docs/own-text.md). */
const PROSE_LETTER_SHARE = 0.6;
/** Below: lists of words, such as names. */
const PROSE_LINE_CHARACTERS = 15;
/** Vocabulary size of byte pairs per square root of the bytes of text. */
const VOCABULARY_PER_ROOT_BYTE = 1.5;
const VOCABULARY_STEP = 128;
const VOCABULARY_RANGE = [384, 8192] as const;
/** Mean length of a byte-pair token in texts of these sizes. */
const BYTES_PER_PAIR = 2.7;
/** Mean length of a word with the following space. */
const BYTES_PER_WORD = 5.5;
/** Operations per second of two cores in float32; used for choosing sizes only, whose limits belong to this figure. */
const NOMINAL_OPERATIONS = 1.2e11;
const BFLOAT16_SPEED_UP = 1.6;
/** Counts for the recipes of large texts in words; with it the rates and dropouts of other texts were worse. */
const AMX_SPEED_UP = 1.5;
/** From so many bytes on, a text in words is trained as PTB is. */
const LARGE_WORD_TEXT = 4_000_000;
/** Minimum steps per epoch, for a meaningful average. */
const MIN_STEPS_PER_EPOCH = 12;

/** Chooses a recipe for a text; docs/own-text.md explains the rules and their results. */
export function chooseRecipe(request: AutoRequest): AutoRecipe {
  const { profile, budgetSeconds, backend, isWordBenchmark, tokenizer: given } = request;
  const reasons: string[] = [];
  const tokenizer = chooseTokenizer(profile, isWordBenchmark ? { type: 'word', ...given } : given, reasons);
  const tokens = Math.max(1, profile.bytes / bytesPerToken(tokenizer, profile));
  const isFused = backend?.kernels === 'fused';
  const operations = budgetSeconds * NOMINAL_OPERATIONS * (isFused ? BFLOAT16_SPEED_UP : 1);
  const sized =
    tokenizer.type === 'word' && profile.bytes >= LARGE_WORD_TEXT
      ? chooseWordRecipe(operations * (backend?.instructions === 'amx' ? AMX_SPEED_UP : 1), reasons)
      : chooseSizes(request, tokenizer, { tokens, operations }, reasons);
  const { batchSize, bpttLength } = sized.training;
  reasons.push(
    `AdamW with one cycle of the learning rate up to ${sized.optimizer.learningRate}, over ${budgetSeconds} s; a batch is ${batchSize} streams of ${bpttLength} tokens, so that an epoch has ${Math.floor(tokens / (batchSize * bpttLength))} steps`,
  );
  const { model, training, optimizer, schedule } = AUTO_BASE;
  return {
    config: {
      tokenizer,
      model: { ...model, ...sized.model },
      optimizer: { ...optimizer, ...sized.optimizer },
      schedule,
      training: { ...training, ...sized.training, timeBudget: budgetSeconds },
      precision: isFused ? 'bfloat16' : 'float32',
    },
    reasons,
  };
}

/** @param work tokens of the text, and operations that the time allows */
function chooseSizes(
  { profile, budgetSeconds }: AutoRequest,
  tokenizer: TokenizerInput,
  { tokens, operations }: { readonly tokens: number; readonly operations: number },
  reasons: string[],
): SizedRecipe {
  const hiddenSize = chooseHiddenSize(profile.bytes, budgetSeconds, reasons);
  const tieWeights = tokenizer.type === 'word';
  const embeddingSize = tieWeights ? hiddenSize : Math.min(hiddenSize, 128);
  const operationsPerToken =
    6 * (4 * hiddenSize * (hiddenSize + embeddingSize) + hiddenSize * vocabularyOf(tokenizer, profile));
  const expectedEpochs = operations / operationsPerToken / tokens;
  const dropout = chooseDropout(expectedEpochs, reasons);
  return {
    model: {
      embeddingSize,
      hiddenSizes: [hiddenSize],
      tieWeights,
      dropout: { ...AUTO_BASE.model.dropout, hidden: dropout, output: dropout },
    },
    optimizer: { learningRate: chooseLearningRate(expectedEpochs, hiddenSize) },
    training: chooseBatch(tokens, tokenizer),
  };
}

function chooseTokenizer(
  { bytes, letterShare, charactersPerLine, distinctCharacters }: TextProfile,
  given: AutoRequest['tokenizer'],
  reasons: string[],
): TokenizerInput {
  if (given?.type && given.type !== 'byte-pair') {
    reasons.push(`${given.type}s, as requested, or as published results for this text use them`);
    return given as TokenizerInput;
  }
  const isProse = letterShare >= PROSE_LETTER_SHARE && charactersPerLine >= PROSE_LINE_CHARACTERS;
  if (!isProse && given?.type !== 'byte-pair') {
    reasons.push(
      charactersPerLine < PROSE_LINE_CHARACTERS
        ? `characters, since lines are short (${charactersPerLine.toFixed(0)} characters)`
        : `characters, since letters are only ${(100 * letterShare).toFixed(0)} % of the text and there are ${distinctCharacters} different characters`,
    );
    return { type: 'character' };
  }
  const wanted = VOCABULARY_PER_ROOT_BYTE * Math.sqrt(bytes);
  const [low, high] = VOCABULARY_RANGE;
  const vocabularySize = Math.min(
    high,
    Math.max(low, Math.round(wanted / VOCABULARY_STEP) * VOCABULARY_STEP),
  );
  reasons.push(`byte pairs with ${vocabularySize} tokens, which suits ${describeBytes(bytes)} of text`);
  return { type: 'byte-pair', vocabularySize };
}

type TokenizerInput = NonNullable<Preset['config']['tokenizer']>;

function bytesPerToken({ type }: TokenizerInput, { bytesPerCharacter }: TextProfile): number {
  if (type === 'character') return bytesPerCharacter;
  return type === 'word' ? BYTES_PER_WORD : BYTES_PER_PAIR;
}

function vocabularyOf(tokenizer: TokenizerInput, { distinctCharacters }: TextProfile): number {
  if (tokenizer.type === 'character') return distinctCharacters + 2;
  return tokenizer.vocabularySize ?? 10_000;
}

function chooseHiddenSize(bytes: number, budgetSeconds: number, reasons: string[]): number {
  const byText = bytes < 40_000 ? 128 : bytes < 400_000 ? 256 : bytes < 4_000_000 ? 512 : 768;
  const byTime = budgetSeconds < 20 ? 128 : budgetSeconds < 75 ? 256 : budgetSeconds < 900 ? 512 : 1024;
  const hiddenSize = Math.min(byText, byTime);
  reasons.push(
    `one layer of ${hiddenSize} units: ${byTime < byText ? `what ${budgetSeconds} s can train` : `what ${describeBytes(bytes)} of text can fill`}`,
  );
  return hiddenSize;
}

function chooseDropout(expectedEpochs: number, reasons: string[]): number {
  const dropout = expectedEpochs < 3 ? 0.05 : expectedEpochs < 10 ? 0.2 : expectedEpochs < 30 ? 0.3 : 0.45;
  reasons.push(
    `dropout ${dropout}: the time is enough to read the text about ${Math.max(1, Math.round(expectedEpochs))} times`,
  );
  return dropout;
}

/** Fewer steps need larger ones. Sizes that were not tried (docs/own-text.md) keep the small rate. */
function chooseLearningRate(expectedEpochs: number, hiddenSize: number): number {
  if (expectedEpochs >= 10 || hiddenSize > 512) return AUTO_BASE.optimizer.learningRate;
  return hiddenSize > 256 ? 0.006 : 0.01;
}

/** Batch size and sequence length that allow enough updates per epoch; words, of which each is rare, need more of them. */
function chooseBatch(tokens: number, { type }: TokenizerInput): { batchSize: number; bpttLength: number } {
  const most = type === 'word' ? ([20, 35] as const) : ([32, 64] as const);
  for (const [batchSize, bpttLength] of [most, [16, 64], [8, 48], [4, 32]] as const)
    if (tokens / (batchSize * bpttLength) >= MIN_STEPS_PER_EPOCH * (batchSize > 16 ? 20 : 1))
      return { batchSize, bpttLength };
  return { batchSize: 2, bpttLength: 16 };
}

function describeBytes(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
