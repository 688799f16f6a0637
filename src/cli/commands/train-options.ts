import type { ServerOptions } from '../server-command.js';
import type { TrainBodyOptions } from './train-body.js';

/** Options of `gatelm train`. */
export interface TrainOptions extends ServerOptions, TrainBodyOptions {
  readonly dryRun?: boolean;
  readonly detach?: boolean;
  readonly again?: string;
  readonly local?: boolean;
  readonly out?: string;
}
