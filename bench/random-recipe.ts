import { RandomSource, randomBits } from '../src/tensor/random.js';

/** A recipe as somebody who knows the field might set it by hand. */
export interface RandomRecipe {
  readonly tokenizer:
    | { readonly type: 'character' }
    | { readonly type: 'byte-pair'; readonly vocabularySize: number };
  readonly embeddingSize: number;
  readonly hiddenSizes: readonly number[];
  readonly learningRate: number;
  readonly dropout: number;
  readonly batchSize: number;
  readonly bpttLength: number;
}

/** Apart from the streams of src/tensor/random.ts. */
const STREAM = 200;

/** Draws a recipe for a text of this size. The same number gives the same recipe. */
export function drawRecipe(seed: number, number: number, bytes: number): RandomRecipe {
  const bits = randomBits(16, new RandomSource(seed, STREAM, number).next());
  let at = 0;
  const draw = () => bits[at++]! / 2 ** 32;
  const oneOf = <Value>(values: readonly Value[]): Value => values[Math.floor(draw() * values.length)]!;
  const between = (low: number, high: number) => low * (high / low) ** draw();
  const largest = Math.min(8192, Math.max(512, bytes / 20));
  const vocabularySize = Math.round(between(320, largest));
  const hiddenSize = oneOf([128, 192, 256, 384, 512, 768]);
  return {
    tokenizer: oneOf([{ type: 'character' } as const, { type: 'byte-pair', vocabularySize } as const]),
    embeddingSize: oneOf([64, 128, 256]),
    hiddenSizes: oneOf([[hiddenSize], [hiddenSize], [hiddenSize, hiddenSize]]),
    learningRate: Number(between(0.001, 0.01).toPrecision(3)),
    dropout: oneOf([0, 0.1, 0.2, 0.3, 0.4, 0.5]),
    ...oneOf(
      [8, 16, 32, 64]
        .flatMap((batchSize) => [32, 64, 128].map((bpttLength) => ({ batchSize, bpttLength })))
        .filter(({ batchSize, bpttLength }) => batchSize * bpttLength * 40 <= bytes),
    ),
  };
}

/** As the body of POST /experiments, with AdamW and one cycle over a time, as `auto` trains. */
export function experimentOf(recipe: RandomRecipe, seconds: number, seed: number): Record<string, unknown> {
  const { tokenizer, embeddingSize, hiddenSizes, learningRate, dropout, batchSize, bpttLength } = recipe;
  return {
    tokenizer,
    model: {
      embeddingSize,
      hiddenSizes,
      forgetBias: 1,
      initialization: 'uniform',
      initializationRange: 0.08,
      dropout: { kind: 'variational', input: dropout / 2, hidden: dropout, output: dropout },
    },
    optimizer: { type: 'adamw', learningRate, weightDecay: 0.01 },
    schedule: { type: 'one-cycle', warmupFraction: 0.1 },
    training: {
      batchSize,
      bpttLength,
      maxGradNorm: 1,
      epochs: 60,
      timeBudget: seconds,
      earlyStopping: { patience: 6 },
      sampleLength: 0,
      seed,
    },
  };
}
