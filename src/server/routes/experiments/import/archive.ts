import type { Readable } from 'node:stream';
import { Experiment } from '../../../../contracts/experiment.js';
import { appError } from '../../../../errors.js';
import { importArchive } from '../../../../experiments/import-archive.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

const ZIP_TYPE = 'application/zip';

/** POST /experiments/import/archive. In a scope of its own: nowhere else are archives read. */
export default async function importArchiveRoutes(
  app: HttpApp,
  services: Uses<'store' | 'folder' | 'environment'>,
): Promise<void> {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(ZIP_TYPE, (_request, payload, done) => done(null, payload));
  app.post(
    '/archive',
    {
      config: {
        costs: 'training',
        streamedBody: { file: { type: ZIP_TYPE, description: 'As GET /experiments/:id/archive gives it' } },
      },
      schema: {
        tags: ['experiments'],
        summary: 'Take in the whole record of a run that another gatelm has archived',
        description:
          'Its events are told again and its files are checked. It keeps its id where that is free. At most GATELM_MAX_ARCHIVE_BYTES, unpacked.',
        response: withProblems({ 201: Experiment }),
      },
    },
    async (request, reply) => {
      if (!request.body) throw appError('bad-request', { reason: 'The body is empty; send the archive' });
      const experiment = await importArchive(services, request.body as Readable);
      return reply.code(201).header('location', `/experiments/${experiment.id}`).send(experiment);
    },
  );
}
