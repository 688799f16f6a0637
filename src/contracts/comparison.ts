/** Experiments side by side. */
import { z } from 'zod';
import { commaList } from './comma-list.js';
import { exampleOf } from './example-of.js';
import { EXAMPLE_EXPERIMENT_ID } from './example-values.js';
import { Experiment } from './experiment.js';
import { ExperimentIdOrName } from './http.js';

/** Experiments that one comparison takes. */
const MAX_COMPARED = 64;

export const CompareQuery = z.strictObject({
  ids: commaList(ExperimentIdOrName)
    .min(1)
    .max(MAX_COMPARED)
    .describe('Ids or names of experiments, in the order in which they are to stand'),
  format: z.enum(['json', 'csv']).optional().describe('Instead of the Accept header'),
});

/** What experiments came to. */
export const RESULT_KEYS = [
  'epochs',
  'bestEpoch',
  'bestValidPerplexity',
  'bestValidBitsPerByte',
  'testPerplexity',
  'testBitsPerByte',
  'parameterCount',
  'tokensPerSecond',
] as const;
export type ResultKey = (typeof RESULT_KEYS)[number];

export const Comparison = z
  .object({
    items: z.array(Experiment).describe('In the order of ids'),
    differences: z
      .array(
        z.object({
          path: z.string().describe('As in optimizer.learningRate'),
          values: z.array(z.unknown()).describe('In the order of ids; null where it does not apply'),
        }),
      )
      .describe('Settings in which their configs differ'),
    results: z
      .array(
        z.object({
          key: z.enum(RESULT_KEYS),
          values: z.array(z.number().nullable()).describe('In the order of ids; null: not measured'),
          best: z
            .string()
            .nullable()
            .describe(
              'Id of the one with the lowest value; null where lower is not better, and for perplexities where corpus or tokenizer differ: only bits per byte can be compared then',
            ),
        }),
      )
      .describe('What they came to'),
  })
  .meta({
    id: 'Comparison',
    examples: [
      {
        items: [exampleOf(Experiment), { ...exampleOf(Experiment), id: '01m89q4d7dz5b7hca9' }],
        differences: [{ path: 'optimizer.learningRate', values: [20, 5] }],
        results: [
          { key: 'bestValidPerplexity', values: [140.3, 150.1], best: EXAMPLE_EXPERIMENT_ID },
          { key: 'bestEpoch', values: [4, 4], best: null },
        ],
      },
    ],
  });
export type Comparison = z.infer<typeof Comparison>;
