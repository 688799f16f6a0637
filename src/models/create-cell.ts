import type { CellConfig } from '../contracts/model.js';
import type { RecurrentCell } from '../layers/recurrent-cell.js';
import { GRU } from '../layers/time-gru.js';
import { LSTM } from '../layers/time-lstm.js';
import { mogrifierLstm } from '../layers/time-mogrifier-lstm.js';

/** Creates the cell of a config. */
export function createCell(config: CellConfig): RecurrentCell {
  switch (config.type) {
    case 'lstm':
      return LSTM;
    case 'gru':
      return GRU;
    case 'mogrifier-lstm':
      return mogrifierLstm(config);
    default:
      return config satisfies never;
  }
}
