import { Readable } from 'node:stream';
import { z } from 'zod';
import { ExperimentParams } from '../../../../contracts/http.js';
import { ExportQuery } from '../../../../contracts/transfer.js';
import { exportModel } from '../../../../experiments/transfer-model.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { tarBytes, tarFolder } from '../../../tar.js';

const TAR_TYPE = 'application/x-tar';

/** /experiments/:id/export */
export default async function exportRoutes(
  app: HttpApp,
  services: Uses<'store' | 'log' | 'executor' | 'environment' | 'folder'>,
): Promise<void> {
  app.get(
    '/export',
    {
      schema: {
        tags: ['models'],
        summary: 'Export the best weights as a bundle for PyTorch',
        description:
          'A tar archive of model.safetensors (parameter names and gate order of PyTorch’s word_language_model), config.json and tokenizer.json (Hugging Face tokenizers).',
        params: ExperimentParams,
        querystring: ExportQuery,
        response: withProblems({
          200: {
            description: 'The bundle',
            content: { [TAR_TYPE]: { schema: z.string().meta({ format: 'binary' }) } },
          },
        }),
      },
    },
    async ({ params, query }, reply) => {
      const { folder, files, discard } = await exportModel(services, params.id, query);
      const archive = Readable.from(tarFolder(folder, files, new Date()), { objectMode: false });
      archive.once('close', () => void discard());
      return reply
        .type(TAR_TYPE)
        .header('content-disposition', `attachment; filename="${params.id}.tar"`)
        .header('content-length', tarBytes(files))
        .send(archive as never);
    },
  );
}
