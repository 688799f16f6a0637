import { z } from 'zod';
import { ExperimentParams } from '../../../../contracts/http.js';
import { ArchiveQuery } from '../../../../contracts/run-archive.js';
import { exportArchive } from '../../../../experiments/export-archive.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

const ZIP_TYPE = 'application/zip';

/** /experiments/:id/archive */
export default async function archiveRoutes(
  app: HttpApp,
  services: Uses<'store' | 'environment'>,
): Promise<void> {
  app.get(
    '/archive',
    {
      schema: {
        tags: ['experiments'],
        summary:
          'The whole record of a run as one .zip, for POST /experiments/import/archive of another gatelm',
        description:
          'Config, events (curves are in them), model and checkpoints, with their checksums; not the text that it learned from. A run that trains or waits is refused: pause it first.',
        params: ExperimentParams,
        querystring: ArchiveQuery,
        response: withProblems({
          200: {
            description: 'The archive',
            content: { [ZIP_TYPE]: { schema: z.string().meta({ format: 'binary' }) } },
          },
        }),
      },
    },
    async ({ params, query }, reply) => {
      const archive = await exportArchive(services, params.id, query); // before the headers, which an error would keep
      return reply
        .type(ZIP_TYPE)
        .header('content-disposition', `attachment; filename="${params.id}.zip"`)
        .send(archive as never);
    },
  );
}
