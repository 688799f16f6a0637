/** A small model of characters, of which one thread trains an epoch in about two seconds. */
export function smallTraining(seed: number, epochs: number) {
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
      checkpointEvery: 20,
      metricsEvery: 5,
      seed,
    },
  };
}
