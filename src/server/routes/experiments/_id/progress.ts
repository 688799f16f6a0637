import { ExperimentParams } from '../../../../contracts/http.js';
import { ProgressQuery, ProgressSnapshot } from '../../../../contracts/progress.js';
import { appError } from '../../../../errors.js';
import { findExperiment } from '../../../../experiments/find-experiment.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { experimentRun } from '../../../streams/experiment-run.js';
import { followRun } from '../../../streams/follow-run.js';
import { SocketSink } from '../../../streams/socket-sink.js';

/** /experiments/:id/progress */
export default async function progressRoutes(
  app: HttpApp,
  services: Uses<'store' | 'bus' | 'environment' | 'streams'>,
): Promise<void> {
  app.route({
    method: 'GET',
    url: '/progress',
    config: { takesTicket: true },
    schema: {
      tags: ['experiments'],
      summary: 'Follow an experiment by WebSocket',
      description:
        'Messages are JSON: a snapshot, then every event after `since` in order, then live events; {"type":"heartbeat"} when idle. Closed with 1000 after the last event, with 1013 if the client reads too slowly, with 1001 if the server stops; reconnecting with `since` continues without a gap.',
      params: ExperimentParams,
      querystring: ProgressQuery,
      response: withProblems({ 101: ProgressSnapshot.describe('The first message') }),
    },
    // Before the upgrade, so that a refusal is an HTTP response instead of a closed socket.
    preHandler: async ({ params }) => {
      findExperiment(services.store, params.id);
      services.streams.assertRoom();
    },
    handler: async () => {
      throw appError('bad-request', { reason: 'This is a WebSocket; use ws:// and the Upgrade header' });
    },
    wsHandler: (socket, { params, query, log }) => {
      const { id } = params as { id: string };
      const { since } = query as { since: number };
      followRun(services, new SocketSink(socket), { ...experimentRun(services, id, log), since });
    },
  });
}
