import type { OptimizerConfig } from '../contracts/training.js';
import type { Kernels } from '../kernels/kernels.js';
import { Adam } from './adam.js';
import { NtAsgd } from './nt-asgd.js';
import type { Optimizer } from './optimizer.js';
import { Sgd } from './sgd.js';

/** The optimizer that a config describes. */
export function createOptimizer(config: OptimizerConfig, kernels: Kernels): Optimizer {
  switch (config.type) {
    case 'sgd':
      return new Sgd(config, kernels);
    case 'nt-asgd':
      return new NtAsgd(config, kernels);
    case 'adam':
      return new Adam({ ...config, decoupled: false }, kernels);
    case 'adamw':
      return new Adam({ ...config, decoupled: true }, kernels);
    default:
      return config satisfies never;
  }
}
