import type { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { CorpusInfo, CorpusUpload } from '../../../contracts/corpus.js';
import { parseStrictly } from '../../../contracts/validation.js';
import { appError } from '../../../errors.js';
import type { UploadPart } from '../../../experiments/corpora.js';
import { receiveForm } from '../../form.js';
import type { HttpApp, Uses } from '../../http-app.js';
import { acceptPlainText } from '../../plain-text.js';
import { withProblems } from '../../problem.js';
import { readQueryValues } from '../../query-values.js';

/** Names of the files of a form, and the part of the corpus that each becomes. */
const FILES: ReadonlyMap<string, UploadPart> = new Map([
  ['file', 'whole'],
  ['train', 'train'],
  ['valid', 'valid'],
  ['test', 'test'],
]);
const FILE_DESCRIPTIONS = {
  file: 'The whole text, split by the fractions; may be repeated. The contents of .zip, .jsonl (textField), .csv and .tsv (textColumn) files are extracted',
  train: 'Instead of `file`, together with valid and test',
  valid: 'Instead of `file`, together with train and test',
  test: 'Instead of `file`, together with train and valid',
};
const FIELDS = Object.keys(CorpusUpload.shape);
/** Limits of a form; the sizes of its files are checked separately. */
const FORM_LIMITS = {
  fieldNameSize: 100,
  fieldSize: 1000,
  fields: FIELDS.length,
  files: 1000,
  headerPairs: 50,
};

/** POST /corpora, in a scope of its own: other routes do not accept these media types. */
export default async function uploadRoutes(
  app: HttpApp,
  { corpora, environment }: Uses<'corpora' | 'environment'>,
): Promise<void> {
  await app.register(multipart, {
    limits: {
      ...FORM_LIMITS,
      fileSize: environment.maxUploadBytes + 1,
      parts: FORM_LIMITS.fields + FORM_LIMITS.files,
    },
    throwFileSizeLimit: false,
  });
  app.removeContentTypeParser('application/json');
  acceptPlainText(app);
  app.post(
    '',
    {
      config: {
        costs: 'training',
        streamedBody: {
          form: { fields: CorpusUpload, files: FILE_DESCRIPTIONS, required: ['name'] },
          text: { description: 'The whole text, in UTF-8', example: 'the cat sat on the mat\n' },
        },
      },
      schema: {
        tags: ['corpora'],
        summary: 'Upload a text as a corpus',
        description:
          'multipart/form-data with the fields name, validFraction, testFraction and either one or more files `file`, which are split by the fractions, or the files `train`, `valid` and `test`; or text/plain with the fields in the query. UTF-8, or UTF-16 with a byte-order mark.',
        querystring: CorpusUpload.partial(),
        response: withProblems({ 201: CorpusInfo }),
      },
    },
    async (request, reply) => {
      const corpus = await corpora.upload(async (take) => {
        if (!request.isMultipart()) return receiveText(request, take);
        const fields = await receiveForm(request, [...FILES.keys()], (file, bytes, fileName) =>
          take(FILES.get(file)!, bytes, fileName),
        );
        return readFields({ ...(request.query as object), ...fields });
      });
      return reply.code(201).header('location', `/corpora/${corpus.id}`).send(corpus);
    },
  );
}

type Take = (part: UploadPart, bytes: AsyncIterable<Uint8Array>, name?: string) => Promise<void>;

async function receiveText(request: FastifyRequest, take: Take): Promise<CorpusUpload> {
  const fields = readFields(request.query);
  if (!request.body) throw appError('bad-request', { reason: 'The body is empty; send the text' });
  // Leaving the stream would destroy it together with the connection, before the client has its response.
  await take('whole', (request.body as Readable).iterator({ destroyOnReturn: false }));
  return fields;
}

function readFields(values: unknown): CorpusUpload {
  return parseStrictly(CorpusUpload, readQueryValues(CorpusUpload, values), 'The upload');
}
