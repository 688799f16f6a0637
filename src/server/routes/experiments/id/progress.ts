import { ExperimentParams, ProgressQuery, ProgressSnapshot } from '../../../../contracts/http.js';
import { appError } from '../../../../errors.js';
import { findExperiment } from '../../../../experiments/find-experiment.js';
import type { Services } from '../../../../experiments/services.js';
import type { HttpApp } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { openProgressSocket } from '../../../streams/progress-socket.js';
import type { StreamRegistry } from '../../../streams/stream-registry.js';

/** /experiments/:id/progress */
export function routeProgress(app: HttpApp, services: Services, streams: StreamRegistry): void {
  app.route({
    method: 'GET',
    url: '/experiments/:id/progress',
    config: { takesTicket: true },
    schema: {
      tags: ['experiments'],
      summary: 'Follow an experiment by WebSocket',
      description:
        'Messages are JSON: a snapshot, then every event after `since` in order, then live ones; {"type":"heartbeat"} when it is quiet. Closed with 1000 after the last event, with 1013 when the client reads too slowly, with 1001 when the server stops; in each case `since` goes on without gap.',
      params: ExperimentParams,
      querystring: ProgressQuery,
      response: withProblems({ 101: ProgressSnapshot.describe('The first message') }),
    },
    // Before the upgrade, so that a refusal is an answer and not a socket that closes.
    preHandler: async ({ params }) => {
      findExperiment(services.store, params.id);
      streams.assertRoom();
    },
    handler: async () => {
      throw appError('bad-request', { reason: 'This is a WebSocket; use ws:// and the Upgrade header' });
    },
    wsHandler: (socket, { params, query, log }) => {
      const { id } = params as { id: string };
      const { since } = query as { since: number };
      openProgressSocket(services, streams, socket, { experimentId: id, since, log });
    },
  });
}
