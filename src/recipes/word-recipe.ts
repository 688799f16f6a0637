import type { Preset } from '../contracts/presets.js';

type Config = Preset['config'];
type ModelInput = NonNullable<Config['model']>;

/** The part of a recipe that depends on the size of the text and on the time. */
export interface SizedRecipe {
  readonly model: ModelInput;
  readonly optimizer: { readonly learningRate: number; readonly weightDecay?: number };
  readonly training: NonNullable<Config['training']> & {
    readonly batchSize: number;
    readonly bpttLength: number;
  };
}

/** What was best of what was tried on PTB for about as much computing: docs/recipes.md, "What a time buys on PTB". */
interface WordRecipe extends SizedRecipe {
  /** Operations that the time allows, as `auto` reckons them, from which on it is chosen. */
  readonly fromOperations: number;
  readonly reason: string;
}

const RECIPES: readonly WordRecipe[] = [
  {
    fromOperations: 4e14,
    reason: 'two layers of 650 units, with dropout of their weights too',
    model: tied(650, 2, {
      embedding: 0.1,
      input: 0.35,
      hidden: 0.35,
      output: 0.45,
      recurrentWeights: 0.5,
    }),
    optimizer: { learningRate: 0.003, weightDecay: 0.03 },
    training: {
      batchSize: 32,
      bpttLength: 35,
      activationRegularization: 2,
      temporalActivationRegularization: 1,
    },
  },
  {
    fromOperations: 7e13,
    reason: 'two layers of 512 units, dropout 0.3',
    model: tied(512, 2, { hidden: 0.3, output: 0.3 }),
    optimizer: { learningRate: 0.004 },
    training: { batchSize: 20, bpttLength: 35 },
  },
  {
    fromOperations: 0,
    reason: 'one layer of 200 units without dropout',
    model: tied(200, 1, {}),
    optimizer: { learningRate: 0.008 },
    training: { batchSize: 20, bpttLength: 35 },
  },
];

function tied(units: number, layers: number, dropout: ModelInput['dropout']): ModelInput {
  return {
    embeddingSize: units,
    hiddenSizes: Array<number>(layers).fill(units),
    tieWeights: true,
    dropout: { kind: 'variational', ...dropout },
  };
}

/**
 * Chooses the recipe for a large text that is read in words.
 * @param operations that the time allows
 */
export function chooseWordRecipe(operations: number, reasons: string[]): SizedRecipe {
  const { reason, ...recipe } = RECIPES.find(({ fromOperations }) => operations >= fromOperations)!;
  reasons.push(`${reason}: the best that was found on PTB for about as much computing`);
  return recipe;
}
