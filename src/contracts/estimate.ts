/** What a training would take, found out by a short try. */
import { z } from 'zod';

export const TrainingEstimate = z
  .object({
    parameterCount: z.int().describe('Learned numbers; a tied weight counts once'),
    vocabularySize: z.int(),
    trainTokens: z.int(),
    stepsPerEpoch: z.int().describe('Updates; an estimate when the length varies'),
    measured: z
      .object({
        steps: z.int().describe('Steps that were tried'),
        tokensPerSecond: z.number().describe('Of these steps'),
        secondsPerEpoch: z.number().describe('Training and evaluation, at the speed of the try'),
        seconds: z.number().describe('Of all epochs, if nothing ends it early'),
      })
      .nullable()
      .describe(
        'On this machine as busy as it was then: what else runs slows it. Null where the model is too large to be tried beside what runs',
      ),
    memoryBytes: z
      .int()
      .describe('What the training host would hold, counted from the sizes: weights, gradients, activations'),
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
