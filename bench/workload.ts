export type Precision = 'float32' | 'bfloat16';

/** The workloads that gatelm and its peers are timed on: plain data, passed to each side on its command line. */
export interface Workload {
  readonly name: string;
  /** As in a model's config; an LSTM where it is left out. */
  readonly cell?: { readonly type: 'gru' | 'mogrifier-lstm' };
  readonly task: 'train' | 'evaluate' | 'generate';
  readonly vocabularySize: number;
  readonly embeddingSize: number;
  readonly hiddenSizes: readonly number[];
  readonly tied: boolean;
  /** Standard dropout, everywhere. */
  readonly dropout: number;
  /** All regularizers of AWD-LSTM instead. */
  readonly awd: boolean;
  readonly batchSize: number;
  readonly time: number;
  /** Steps that are timed. */
  readonly steps: number;
  readonly threads: number;
}

const base = {
  vocabularySize: 10_000,
  tied: false,
  dropout: 0,
  awd: false,
  batchSize: 20,
  time: 35,
  threads: 2,
} as const;
const small = { ...base, embeddingSize: 100, hiddenSizes: [100] } as const;
const medium = { ...base, embeddingSize: 650, hiddenSizes: [650, 650], tied: true } as const;
const betterRnnlm = { ...medium, task: 'train', dropout: 0.5, steps: 20 } as const;
/** What people train on texts of their own: small models, small vocabularies. */
const texts = { ...base, task: 'train', vocabularySize: 2000, batchSize: 32, time: 64 } as const;
const oneLayer = (units: number) => ({ embeddingSize: units, hiddenSizes: [units] });

export const WORKLOADS: readonly Workload[] = [
  { ...small, name: 'train 100 ×1', task: 'train', steps: 200 },
  { ...betterRnnlm, name: 'train 650 ×2, tied, dropout 0.5' },
  { ...betterRnnlm, name: 'train gru 650 ×2, tied, dropout 0.5', cell: { type: 'gru' } },
  {
    ...betterRnnlm,
    name: 'train mogrifier-lstm 650 ×2, tied, dropout 0.5',
    cell: { type: 'mogrifier-lstm' },
  },
  {
    ...base,
    name: 'train awd-lstm, all regularizers',
    task: 'train',
    embeddingSize: 400,
    hiddenSizes: [1150, 1150, 400],
    tied: true,
    awd: true,
    time: 70,
    steps: 6,
  },
  {
    ...base,
    name: 'train characters 512 ×2',
    task: 'train',
    vocabularySize: 100,
    embeddingSize: 128,
    hiddenSizes: [512, 512],
    batchSize: 64,
    time: 128,
    steps: 6,
  },
  { ...texts, name: 'train characters 256 ×1', vocabularySize: 100, ...oneLayer(256), steps: 40 },
  { ...texts, name: 'train byte pairs 128 ×1', ...oneLayer(128), batchSize: 20, time: 35, steps: 200 },
  { ...texts, name: 'train byte pairs 512 ×1', ...oneLayer(512), steps: 20 },
  { ...medium, name: 'evaluate 650 ×2, N 10', task: 'evaluate', batchSize: 10, steps: 100 },
  { ...medium, name: 'evaluate 650 ×2, N 1', task: 'evaluate', batchSize: 1, steps: 300 },
  { ...medium, name: 'generate 650 ×2, 1 stream', task: 'generate', batchSize: 1, steps: 1000 },
  { ...medium, name: 'generate 650 ×2, 32 streams', task: 'generate', batchSize: 32, steps: 300 },
  { ...medium, name: 'generate 650 ×2, 128 streams', task: 'generate', batchSize: 128, steps: 100 },
];
