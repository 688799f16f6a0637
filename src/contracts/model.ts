import { z } from 'zod';

const probability = (what: string) =>
  z.number().min(0).lt(1).default(0).describe(`Probability of dropping ${what}; 0 = off`);

/** Dropout. All masks are inverted: elements that are kept are divided by 1 - p. */
export const DropoutConfig = z
  .strictObject({
    kind: z
      .enum(['standard', 'variational'])
      .default('standard')
      .describe(
        'standard: a new mask for each time step; variational: one mask for all time steps of a batch (Gal and Ghahramani 2016, arXiv 1512.05287)',
      ),
    embedding: probability('a whole word from the embedding table, for the duration of a batch'),
    input: probability('an element of the embedded input of the first recurrent layer'),
    hidden: probability('an element between recurrent layers'),
    output: probability('an element of the last recurrent layer, before the output layer'),
    recurrentWeights: probability(
      'an element of the recurrent weights Wh, one mask for all time steps of a batch (weight drop; Merity et al. 2017, arXiv 1708.02182)',
    ),
  })
  .describe('Dropout');
export type DropoutConfig = z.infer<typeof DropoutConfig>;

/** The cell of the recurrent layers. */
export const CellConfig = z
  .discriminatedUnion('type', [
    z
      .strictObject({ type: z.literal('lstm') })
      .describe('Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000'),
    z
      .strictObject({ type: z.literal('gru') })
      .describe('Cho et al. 2014, arXiv 1406.1078, in the reset-after form of PyTorch’s nn.GRU'),
    z
      .strictObject({
        type: z.literal('mogrifier-lstm'),
        rounds: z
          .int()
          .min(1)
          .max(16)
          .default(5)
          .describe('Rounds in which input and previous hidden state gate each other before a step'),
        rank: z
          .int()
          .min(1)
          .max(8192)
          .nullable()
          .default(null)
          .describe('Rank of the matrices of the rounds; null = full rank'),
      })
      .describe('Melis, Kočiský and Blunsom 2020, arXiv 1909.01792'),
  ])
  .describe('Recurrent cell of all layers');
export type CellConfig = z.infer<typeof CellConfig>;

/** The recurrent language model: embedding, recurrent layers, affine output over the vocabulary. */
export const ModelConfig = z
  .strictObject({
    cell: CellConfig.prefault({ type: 'lstm' }),
    embeddingSize: z.int().min(1).max(8192).default(100).describe('Width D of the word vectors'),
    hiddenSizes: z
      .array(z.int().min(1).max(8192))
      .min(1)
      .max(16)
      .default([100])
      .describe('Width H of each recurrent layer, from the input up; one number per layer'),
    tieWeights: z
      .boolean()
      .default(false)
      .describe(
        'Also use the embedding table as the output weights; embeddingSize must equal the last hidden size (Press and Wolf 2017, arXiv 1608.05859)',
      ),
    forgetBias: z
      .number()
      .min(-10)
      .max(10)
      .default(0)
      .describe(
        'Initial bias of the gate that keeps the previous state: forget (lstm, mogrifier-lstm), update (gru)',
      ),
    initialization: z
      .enum(['book', 'uniform', 'awd-lstm'])
      .default('book')
      .describe(
        'book: Wx, Wh and the output ~ N(0, 1/fan-in), embedding ~ N(0, 0.01²), biases 0; uniform: everything ~ U(±initializationRange); awd-lstm: embedding ~ U(±0.1), recurrent layers ~ U(±1/√H), output bias 0',
      ),
    initializationRange: z
      .number()
      .gt(0)
      .max(10)
      .default(0.05)
      .describe('Half-width of the uniform initialization; read by initialization "uniform" only'),
    dropout: DropoutConfig.prefault({}),
  })
  .superRefine((model, context) => {
    const last = model.hiddenSizes.at(-1);
    if (model.tieWeights && last !== model.embeddingSize) {
      context.addIssue({
        code: 'custom',
        path: ['tieWeights'],
        message: `tied weights need embeddingSize to equal the last hidden size; embeddingSize is ${model.embeddingSize}, the last of hiddenSizes is ${last}`,
      });
    }
  })
  .describe('Model');
export type ModelConfig = z.infer<typeof ModelConfig>;
