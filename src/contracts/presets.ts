import { z } from 'zod';
import type { ExperimentConfigFields } from './config-fields.js';

export const PresetName = z
  .enum([
    'auto',
    'rnnlm',
    'better-rnnlm',
    'zaremba-medium',
    'zaremba-large',
    'awd-lstm',
    'gru',
    'mogrifier-lstm',
    'character',
    'starter',
  ])
  .describe('Named recipe that fills in the fields that are omitted');
export type PresetName = z.infer<typeof PresetName>;

/** A named recipe: its settings, its source, and the result to expect. */
export interface Preset {
  readonly description: string;
  readonly source: string;
  /** Test perplexity on PTB that the source reports, if any. */
  readonly ptbTestPerplexity: number | null;
  /** Parameters with PTB's vocabulary of 10,000 words, tied weights counted once; null if the preset does not read words. */
  readonly ptbParameterCount: number | null;
  readonly config: z.input<typeof ExperimentConfigFields>;
}

/** The base of `auto`; the rest depends on the text (recipes/auto-recipe.ts). */
export const AUTO_BASE = {
  tokenizer: { type: 'byte-pair', vocabularySize: 1024 },
  model: {
    embeddingSize: 128,
    hiddenSizes: [256],
    forgetBias: 1,
    initialization: 'uniform',
    initializationRange: 0.08,
    dropout: { kind: 'variational', hidden: 0.2, output: 0.2 },
  },
  optimizer: { type: 'adamw', learningRate: 0.003, weightDecay: 0.01 },
  schedule: { type: 'one-cycle', warmupFraction: 0.1 },
  training: {
    batchSize: 16,
    bpttLength: 64,
    maxGradNorm: 1,
    stateResetProbability: 0.02,
    epochs: 60,
    timeBudget: 120,
    earlyStopping: { patience: 6 },
    sampleLength: 120,
  },
} satisfies Preset['config'];

const bookTraining = { batchSize: 20, bpttLength: 35, maxGradNorm: 0.25 };
/** The book's last model, with its own cells or others. */
const betterRnnlm = (cell?: NonNullable<Preset['config']['model']>['cell']) =>
  ({
    model: {
      ...(cell && { cell }),
      embeddingSize: 650,
      hiddenSizes: [650, 650],
      tieWeights: true,
      dropout: { kind: 'standard', input: 0.5, hidden: 0.5, output: 0.5 },
    },
    optimizer: { type: 'sgd', learningRate: 20 },
    schedule: { type: 'divide-on-plateau', divisor: 4 },
    training: { ...bookTraining, epochs: 40 },
  }) satisfies Preset['config'];
const zaremba = (hiddenSize: number, range: number, dropout: number) =>
  ({
    embeddingSize: hiddenSize,
    hiddenSizes: [hiddenSize, hiddenSize],
    initialization: 'uniform',
    initializationRange: range,
    dropout: { kind: 'standard', input: dropout, hidden: dropout, output: dropout },
  }) satisfies Preset['config']['model'];

/** The named recipes, from the chapter's first model to the state of the art. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  auto: {
    description: 'Chosen from the size and form of the text and from the time budget; the default',
    source: 'gatelm, see docs/own-text.md',
    ptbTestPerplexity: null,
    ptbParameterCount: null,
    config: AUTO_BASE,
  },
  rnnlm: {
    description: 'One LSTM layer of 100 units, plain SGD',
    source: 'Saitoh, Deep Learning from Scratch 2, section 6.4',
    ptbTestPerplexity: 136,
    ptbParameterCount: 2_090_400,
    config: {
      model: { embeddingSize: 100, hiddenSizes: [100] },
      optimizer: { type: 'sgd', learningRate: 20 },
      training: { ...bookTraining, epochs: 4 },
    },
  },
  'better-rnnlm': {
    description:
      'Two LSTM layers of 650 units, tied weights, dropout 0.5; the learning rate is divided by 4 on a plateau',
    source: 'Saitoh, Deep Learning from Scratch 2, section 6.5',
    ptbTestPerplexity: 75.8,
    ptbParameterCount: 13_275_200,
    config: betterRnnlm(),
  },
  'zaremba-medium': {
    description: 'Two LSTM layers of 650 units, dropout 0.5, learning rate falling by 0.8 from epoch 7',
    source: 'Zaremba, Sutskever and Vinyals 2014, arXiv 1409.2329',
    ptbTestPerplexity: 82.7,
    ptbParameterCount: 19_775_200,
    config: {
      model: zaremba(650, 0.05, 0.5),
      optimizer: { type: 'sgd', learningRate: 1 },
      schedule: { type: 'exponential', factor: 0.8, fromEpoch: 7 },
      training: { batchSize: 20, bpttLength: 35, maxGradNorm: 5, lossReduction: 'sum-over-time', epochs: 39 },
    },
  },
  'zaremba-large': {
    description: 'Two LSTM layers of 1500 units, dropout 0.65, learning rate falling by 1/1.15 from epoch 15',
    source: 'Zaremba, Sutskever and Vinyals 2014, arXiv 1409.2329',
    ptbTestPerplexity: 78.4,
    ptbParameterCount: 66_022_000,
    config: {
      model: zaremba(1500, 0.04, 0.65),
      optimizer: { type: 'sgd', learningRate: 1 },
      schedule: { type: 'exponential', factor: 1 / 1.15, fromEpoch: 15 },
      training: {
        batchSize: 20,
        bpttLength: 35,
        maxGradNorm: 10,
        lossReduction: 'sum-over-time',
        epochs: 55,
      },
    },
  },
  'awd-lstm': {
    description:
      'Three LSTM layers with weight drop, variational dropout everywhere, averaged SGD, AR and TAR',
    source: 'Merity, Keskar and Socher 2017, arXiv 1708.02182',
    ptbTestPerplexity: 58.8,
    ptbParameterCount: 24_210_800,
    config: {
      model: {
        embeddingSize: 400,
        hiddenSizes: [1150, 1150, 400],
        tieWeights: true,
        initialization: 'awd-lstm',
        dropout: {
          kind: 'variational',
          embedding: 0.1,
          input: 0.4,
          hidden: 0.25,
          output: 0.4,
          recurrentWeights: 0.5,
        },
      },
      optimizer: { type: 'nt-asgd', learningRate: 30, weightDecay: 1.2e-6, nonMonotoneInterval: 5 },
      training: {
        epochs: 500,
        batchSize: 20,
        bpttLength: 70,
        variableBptt: true,
        maxGradNorm: 0.25,
        activationRegularization: 2,
        temporalActivationRegularization: 1,
      },
    },
  },
  gru: {
    description: 'better-rnnlm with GRU layers, which have a quarter fewer weights',
    source: 'gatelm, after Cho et al. 2014, arXiv 1406.1078',
    ptbTestPerplexity: null,
    ptbParameterCount: 11_585_200,
    config: betterRnnlm({ type: 'gru' }),
  },
  'mogrifier-lstm': {
    description: 'better-rnnlm with Mogrifier LSTM layers: 5 rounds of rank 90 before each step',
    source: 'gatelm, after Melis, Kočiský and Blunsom 2020, arXiv 1909.01792',
    ptbTestPerplexity: null,
    ptbParameterCount: 14_445_200,
    config: betterRnnlm({ type: 'mogrifier-lstm', rounds: 5, rank: 90 }),
  },
  character: {
    description: 'Two LSTM layers of 512 units over single characters, Adam; for text without words',
    source: 'after Karpathy 2015, The Unreasonable Effectiveness of Recurrent Neural Networks',
    ptbTestPerplexity: null,
    ptbParameterCount: null,
    config: {
      tokenizer: { type: 'character' },
      model: {
        embeddingSize: 128,
        hiddenSizes: [512, 512],
        dropout: { kind: 'standard', hidden: 0.2, output: 0.2 },
      },
      optimizer: { type: 'adam', learningRate: 0.002 },
      schedule: { type: 'cosine', warmupFraction: 0.02, minimumFraction: 0.05 },
      training: { batchSize: 64, bpttLength: 128, maxGradNorm: 5, epochs: 20, sampleLength: 300 },
    },
  },
  starter: {
    description: 'A small model that trains within two minutes on two cores; used by the quickstart',
    source: 'gatelm',
    ptbTestPerplexity: null,
    ptbParameterCount: 2_701_584,
    config: {
      model: { embeddingSize: 128, hiddenSizes: [128] },
      optimizer: { type: 'sgd', learningRate: 20 },
      schedule: { type: 'exponential', factor: 0.5, fromEpoch: 3 },
      training: { ...bookTraining, epochs: 6, maxDuration: 100 },
    },
  },
};
