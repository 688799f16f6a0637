/** The cost of a training, estimated from a short trial run. */
import { z } from 'zod';

export const TrainingEstimate = z
  .object({
    parameterCount: z.int().describe('Trainable parameters; a tied weight counts once'),
    vocabularySize: z.int(),
    trainTokens: z.int(),
    stepsPerEpoch: z.int().describe('Updates per epoch; an estimate when the length varies'),
    measured: z
      .object({
        steps: z.int().describe('Steps of the trial run'),
        tokensPerSecond: z.number().describe('Speed of the trial run'),
        secondsPerEpoch: z.number().describe('Training and evaluation, at the speed of the trial run'),
        seconds: z.number().describe('All epochs, without early stopping'),
      })
      .nullable()
      .describe(
        'Measured on this machine under its load at that time; other work slows it down. Null if the model is too large to try beside what is running',
      ),
    memoryBytes: z
      .int()
      .describe('Memory of the training host, computed from the sizes of weights, gradients and activations'),
  })
  .meta({
    examples: [
      {
        parameterCount: 2_090_400,
        vocabularySize: 10_000,
        trainTokens: 929_589,
        stepsPerEpoch: 1328,
        measured: { steps: 20, tokensPerSecond: 22_900, secondsPerEpoch: 42.1, seconds: 168.4 },
        memoryBytes: 512_000_000,
      },
    ],
  });
export type TrainingEstimate = z.infer<typeof TrainingEstimate>;
