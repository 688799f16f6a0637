import type { OptimizerConfig } from '../contracts/training.js';
import { Adam } from './adam.js';
import { NtAsgd } from './nt-asgd.js';
import type { Optimizer } from './optimizer.js';
import { Sgd } from './sgd.js';

/** The optimizer that a config describes. */
export function createOptimizer(config: OptimizerConfig): Optimizer {
  switch (config.type) {
    case 'sgd':
      return new Sgd(config);
    case 'nt-asgd':
      return new NtAsgd(config);
    case 'adam':
      return new Adam({ ...config, decoupled: false });
    case 'adamw':
      return new Adam({ ...config, decoupled: true });
    default:
      return config satisfies never;
  }
}
