import type { FastifyBaseLogger } from 'fastify';
import { experimentHistory } from '../../experiments/event-history.js';
import { viewExperiment } from '../../experiments/experiment-view.js';
import { findExperiment } from '../../experiments/find-experiment.js';
import type { Uses } from '../http-app.js';

/** An experiment as {@link followRun} follows it. */
export function experimentRun(services: Uses<'store' | 'bus'>, experimentId: string, log: FastifyBaseLogger) {
  return {
    history: experimentHistory(services, experimentId),
    snapshot() {
      const experiment = viewExperiment(services.store, findExperiment(services.store, experimentId));
      return { experiment, seq: experiment.seq };
    },
    log: log.child({ experimentId }),
  };
}
