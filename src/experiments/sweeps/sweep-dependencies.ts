import type { Environment } from '../../contracts/environment.js';
import type { ControlDependencies } from '../control-experiment.js';
import type { DataFolder } from '../data-folder.js';
import type { Logger } from '../logger.js';
import type { SweepLog } from './sweep-log.js';

/** What running the trials of a sweep needs. */
export interface SweepDependencies extends ControlDependencies {
  readonly environment: Pick<Environment, 'maxQueued' | 'diskQuotaBytes'>;
  readonly folder: DataFolder;
  readonly sweepLog: SweepLog;
  readonly logger: Logger;
}
