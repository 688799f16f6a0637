import { ProgressQuery } from '../../../../contracts/progress.js';
import { SweepParams, SweepSnapshot } from '../../../../contracts/sweep-view.js';
import { appError } from '../../../../errors.js';
import { findSweep } from '../../../../experiments/sweeps/find-sweep.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { followRun } from '../../../streams/follow-run.js';
import { SocketSink } from '../../../streams/socket-sink.js';
import { sweepRun } from '../../../streams/sweep-run.js';

/** /sweeps/:id/progress */
export default async function sweepProgressRoutes(
  app: HttpApp,
  services: Uses<'store' | 'sweepLog' | 'environment' | 'streams'>,
): Promise<void> {
  app.route({
    method: 'GET',
    url: '/progress',
    config: { takesTicket: true },
    schema: {
      tags: ['sweeps'],
      summary: 'Follow a sweep by WebSocket',
      description:
        'As the progress socket of an experiment: a snapshot, then every event after `since` in order, then live ones; closed with 1000 after the last event.',
      params: SweepParams,
      querystring: ProgressQuery,
      response: withProblems({ 101: SweepSnapshot.describe('The first message') }),
    },
    // Before the upgrade, so that a refusal is an answer and not a socket that closes.
    preHandler: async ({ params }) => {
      findSweep(services.store, params.id);
      services.streams.assertRoom();
    },
    handler: async () => {
      throw appError('bad-request', { reason: 'This is a WebSocket; use ws:// and the Upgrade header' });
    },
    wsHandler: (socket, { params, query, log }) => {
      const { id } = findSweep(services.store, (params as { id: string }).id);
      const { since } = query as { since: number };
      followRun(services, new SocketSink(socket), { ...sweepRun(services, id, log), since });
    },
  });
}
