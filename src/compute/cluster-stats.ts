import type { TrainerReport } from '../contracts/cluster.js';

/** What the server sees of the machines that train for it. */
export interface ClusterStats {
  /** Those that reported lately. */
  readonly trainers: readonly TrainerReport[];
  /** Trainings that are handed out. */
  readonly leases: number;
  /** Age of the oldest event when it was read, over all trainings. */
  readonly lagMs: number;
}
