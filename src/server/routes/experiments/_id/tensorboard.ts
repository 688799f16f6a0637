import { Readable } from 'node:stream';
import { z } from 'zod';
import { ExperimentParams } from '../../../../contracts/http.js';
import { tensorBoardFile } from '../../../../experiments/read-events.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

const EVENT_FILE_TYPE = 'application/octet-stream';

/** /experiments/:id/tensorboard */
export default async function tensorBoardRoutes(app: HttpApp, { store }: Uses<'store'>): Promise<void> {
  app.get(
    '/tensorboard',
    {
      schema: {
        tags: ['experiments'],
        summary: 'Curves and samples of an experiment as an event file of TensorBoard',
        description:
          'TFRecords of Event messages. Put it into a folder of its own below the --logdir. With GATELM_TENSORBOARD=on the same lies beside each run while it trains.',
        params: ExperimentParams,
        response: withProblems({
          200: {
            description: 'The event file, up to the latest event',
            content: { [EVENT_FILE_TYPE]: { schema: z.string().meta({ format: 'binary' }) } },
          },
        }),
      },
    },
    async ({ params }, reply) => {
      const file = tensorBoardFile(store, params.id);
      return reply
        .type(EVENT_FILE_TYPE)
        .header('content-disposition', `attachment; filename="events.out.tfevents.0000000000.${params.id}"`)
        .send(Readable.from(file, { objectMode: false }) as never);
    },
  );
}
