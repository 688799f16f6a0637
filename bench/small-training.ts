/** A small model of characters, of which one thread trains an epoch in about two seconds. @param checkpointEvery in steps; null = after each epoch */
export function smallTraining(seed: number, epochs: number, checkpointEvery: number | null = 20) {
  return {
    corpus: 'handbook',
    tokenizer: { type: 'character' },
    model: { embeddingSize: 32, hiddenSizes: [64], dropout: { kind: 'standard', hidden: 0.2, output: 0.2 } },
    optimizer: { type: 'adam', learningRate: 0.002 },
    training: {
      epochs,
      batchSize: 32,
      bpttLength: 64,
      sampleLength: 5,
      checkpointEvery,
      metricsEvery: 5,
      seed,
    },
  };
}
