import multipart from '@fastify/multipart';
import { Experiment } from '../../../contracts/experiment.js';
import { ImportFields } from '../../../contracts/transfer.js';
import { parseStrictly } from '../../../contracts/validation.js';
import { IMPORT_FILES, type ImportFile, importModel } from '../../../experiments/transfer-model.js';
import { receiveForm } from '../../form.js';
import type { HttpApp, Uses } from '../../http-app.js';
import { withProblems } from '../../problem.js';

const FILES = Object.keys(IMPORT_FILES) as ImportFile[];
const FILE_DESCRIPTIONS: Readonly<Record<ImportFile, string>> = {
  model: 'safetensors, with the parameter names of PyTorch’s word_language_model',
  tokenizer: 'tokenizer.json (Hugging Face tokenizers); alternative to `vocabulary`',
  vocabulary: 'One token per line',
  config: 'JSON, as in an export; optional',
};
/** Limits of a form; the sizes of its files are checked separately. */
const FORM_LIMITS = { fieldNameSize: 100, fieldSize: 1000, fields: 1, files: FILES.length, headerPairs: 50 };

/** POST /experiments/import, in a scope of its own: other routes do not accept forms. */
export default async function importRoutes(
  app: HttpApp,
  services: Uses<'store' | 'log' | 'executor' | 'environment' | 'folder'>,
): Promise<void> {
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
    '/import',
    {
      config: {
        costs: 'training',
        streamedBody: {
          form: { fields: ImportFields, files: FILE_DESCRIPTIONS, required: ['model', 'name'] },
        },
      },
      schema: {
        tags: ['models'],
        summary: 'Import a model trained with PyTorch, to be served like other experiments',
        description:
          'multipart/form-data with the file `model` (safetensors with the parameter names of PyTorch’s word_language_model, or `rnns.0.weight_ih_l0`, … for layers of different sizes), `tokenizer` (tokenizer.json) or `vocabulary` (one token per line), optionally `config` (JSON, as in an export), and the field `name`.',
        response: withProblems({ 201: Experiment }),
      },
    },
    async (request, reply) => {
      const experiment = await importModel(services, async (take) =>
        parseStrictly(ImportFields, await receiveForm(request, FILES, take), 'The form'),
      );
      return reply.code(201).header('location', `/experiments/${experiment.id}`).send(experiment);
    },
  );
}
