import { CellConfig } from '../../src/contracts/model.js';
import { createCell } from '../../src/models/create-cell.js';

/** Every kind of cell that a config can name, with its defaults and where it has options with others, too. */
export const CELL_CONFIGS: readonly CellConfig[] = [
  { type: 'lstm' },
  { type: 'gru' },
  { type: 'mogrifier-lstm', rounds: 4, rank: null },
  { type: 'mogrifier-lstm', rounds: 3, rank: 2 },
];

/** The cells of {@link CELL_CONFIGS}, by a name for the test. */
export const CELLS = CELL_CONFIGS.map(
  (config) => [JSON.stringify(config), createCell(CellConfig.parse(config))] as const,
);
