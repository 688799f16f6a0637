import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import { z } from 'zod';
import { Experiment } from '../../../contracts/experiment.js';
import { ExperimentParams } from '../../../contracts/http.js';
import { ExportQuery, ImportFields } from '../../../contracts/transfer.js';
import { parseStrictly } from '../../../contracts/validation.js';
import type { Services } from '../../../experiments/services.js';
import {
  exportModel,
  IMPORT_FILES,
  type ImportFile,
  importModel,
} from '../../../experiments/transfer-model.js';
import { receiveForm } from '../../form.js';
import type { HttpApp } from '../../http-app.js';
import { withProblems } from '../../problem.js';
import { tarBytes, tarFolder } from '../../tar.js';

const TAR_TYPE = 'application/x-tar';
const FILES = Object.keys(IMPORT_FILES) as ImportFile[];
const FILE_DESCRIPTIONS: Readonly<Record<ImportFile, string>> = {
  model: 'safetensors, with the names of PyTorch’s word_language_model',
  tokenizer: 'tokenizer.json of Hugging Face’s tokenizers; or `vocabulary`',
  vocabulary: 'One token a line',
  config: 'JSON, as an export has it; may be left out',
};
/** What a form may have at most; the bytes of its files are counted as they come. */
const FORM_LIMITS = { fieldNameSize: 100, fieldSize: 1000, fields: 1, files: FILES.length, headerPairs: 50 };

/** /experiments/:id/export and /experiments/import */
export function routeTransfer(app: HttpApp, services: Services): void {
  app.get(
    '/experiments/:id/export',
    {
      schema: {
        tags: ['models'],
        summary: 'The best weights as a bundle for PyTorch',
        description:
          'A tar archive of model.safetensors (names and gate order of PyTorch’s word_language_model), config.json and tokenizer.json (Hugging Face’s tokenizers).',
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
  // In a scope of its own: nowhere else are forms read.
  app.register(async (scope) => routeImport(scope as unknown as HttpApp, services));
}

async function routeImport(app: HttpApp, services: Services): Promise<void> {
  await app.register(multipart, {
    limits: {
      ...FORM_LIMITS,
      fileSize: services.environment.maxUploadBytes + 1,
      parts: FORM_LIMITS.fields + FORM_LIMITS.files,
    },
    throwFileSizeLimit: false,
  });
  app.removeContentTypeParser('application/json');
  app.post(
    '/experiments/import',
    {
      config: {
        costs: 'training',
        streamedBody: {
          form: { fields: ImportFields, files: FILE_DESCRIPTIONS, required: ['model', 'name'] },
        },
      },
      schema: {
        tags: ['models'],
        summary: 'Import a model that PyTorch trained; it is served like one’s own',
        description:
          'multipart/form-data with the file `model` (safetensors with the names of PyTorch’s word_language_model, or `rnns.0.weight_ih_l0`, … for layers of different sizes), `tokenizer` (tokenizer.json) or `vocabulary` (one token a line), optionally `config` (JSON, as an export has it), and the field `name`.',
        response: withProblems({ 201: Experiment }),
      },
    },
    async (request, reply) => {
      reply.header('connection', 'close'); // a refused upload is not read to its end
      const experiment = await importModel(services, async (take) =>
        parseStrictly(ImportFields, await receiveForm(request, FILES, take), 'The form'),
      );
      reply.removeHeader('connection');
      return reply.code(201).header('location', experiment.links.self!).send(experiment);
    },
  );
}
