/** Whether a model learned or memorized: what its samples are like. */
import { z } from 'zod';
import { commaList } from './comma-list.js';
import { EXAMPLE_EXPERIMENT_ID } from './example-values.js';

export const SampleQualityRequest = z.strictObject({
  temperatures: commaList(z.number().min(0).max(10))
    .min(1)
    .max(8)
    .default([0.5, 0.8, 1])
    .describe('One sample for each'),
  tokens: z.int().min(10).max(10_000).default(1000).describe('Length of a sample'),
  seed: z.int().min(0).max(4_294_967_295).default(1).describe('Same seed, same samples'),
});
export type SampleQualityRequest = z.infer<typeof SampleQualityRequest>;

export const TextQuality = z.object({
  tokens: z.int().min(0),
  distinct: z
    .array(z.number().nullable())
    .describe(
      'distinct-1 to distinct-4: different n-grams of tokens as a part of all; low = it repeats itself',
    ),
  copiedShare: z
    .number()
    .describe('Part of the tokens in passages of 40 characters or more that stand in the training text'),
  longestCopy: z.int().describe('Tokens of the longest passage that stands in the training text'),
});
export type TextQuality = z.infer<typeof TextQuality>;

const share = z.number().min(0).max(1);

/** The quality of a text in short. */
export const QualityFigures = z.strictObject({
  distinctPairs: share
    .nullable()
    .describe('distinct-2: different pairs of successive tokens as a part of all; null = there is no pair'),
  repetition: share
    .nullable()
    .describe('Part of the 4-grams of tokens that occurred before in the text; null = there is no 4-gram'),
  copiedShare: share.describe(
    'Part of the tokens in passages of 40 characters or more that stand in the training text',
  ),
});
export type QualityFigures = z.infer<typeof QualityFigures>;

export const SampleQuality = z
  .object({
    experimentId: z.string(),
    samples: z
      .array(TextQuality.extend({ temperature: z.number(), text: z.string().describe('The sample itself') }))
      .describe('One for each temperature'),
    test: TextQuality.describe(
      'The same of the beginning of the test split, which was not learned: what these figures are for real text',
    ),
  })
  .meta({
    id: 'SampleQuality',
    examples: [
      {
        experimentId: EXAMPLE_EXPERIMENT_ID,
        samples: [
          {
            temperature: 0.8,
            tokens: 1000,
            distinct: [0.31, 0.78, 0.95, 0.99],
            copiedShare: 0.02,
            longestCopy: 11,
            text: 'the cat sat on the mat',
          },
        ],
        test: { tokens: 1000, distinct: [0.42, 0.9, 0.99, 1], copiedShare: 0.01, longestCopy: 9 },
      },
    ],
  });
export type SampleQuality = z.infer<typeof SampleQuality>;
