import { textLike } from '../../../contracts/example-of.js';
import { ExperimentInput } from '../../../contracts/experiment-config.js';
import {
  CreatedExperiment,
  CreateExperimentQuery,
  ExperimentPageBody,
  ExperimentPlan,
  IdempotencyHeaders,
  ListExperimentsQuery,
} from '../../../contracts/http.js';
import { createExperiment, planExperiment } from '../../../experiments/create-experiment.js';
import { linkTo } from '../../../experiments/links.js';
import { listExperiments } from '../../../experiments/list-experiments.js';
import { chooseFormat } from '../../accept.js';
import { AnswerCache } from '../../answer-cache.js';
import { experimentsCsv } from '../../experiments-csv.js';
import type { HttpApp, Uses } from '../../http-app.js';
import { withProblems } from '../../problem.js';
import { clientSignal } from '../../streams/client-signal.js';
import { compileValidationButBody } from '../../validation.js';

const TAGS = ['experiments'];
const TYPES = { json: 'application/json', csv: 'text/csv' } as const;
const CSV_EXAMPLE =
  'id,name,state,createdAt,startedAt,endedAt,tags,corpus,model.embeddingSize,optimizer.learningRate,epochs,bestEpoch,bestValidPerplexity\n';

/** /experiments */
export default async function experimentsRoutes(
  app: HttpApp,
  services: Uses<'store' | 'queue' | 'corpora' | 'environment' | 'folder' | 'executor' | 'trainingExecutor'>,
): Promise<void> {
  const answers = new AnswerCache(services.store.changeCount);
  app.post(
    '',
    {
      config: { costs: 'training' },
      schema: {
        tags: TAGS,
        summary: 'Queue an experiment',
        description:
          'With dryRun, nothing is stored: the response is the resolved experiment and its estimated cost, from a trial run of some seconds on the inference host. Fields that the body omits are taken from the preset, then from the defaults; the response contains the complete config and warnings about settings that do not suit the text. Unknown keys, and texts that are too short for the config, are refused.',
        querystring: CreateExperimentQuery,
        headers: IdempotencyHeaders,
        body: ExperimentInput,
        response: withProblems({ 201: CreatedExperiment, 200: ExperimentPlan }),
      },
      validatorCompiler: compileValidationButBody,
    },
    async (request, reply) => {
      if (request.query.dryRun)
        return reply.code(200).send(await planExperiment(services, request.body, clientSignal(reply)));
      const key = request.headers['idempotency-key'];
      const { experiment, isNew } = await createExperiment(services, request.body, key);
      request.log.info({ experimentId: experiment.id, isNew }, 'experiment requested');
      if (!isNew) reply.header('idempotent-replayed', 'true');
      return reply.code(201).header('location', `/experiments/${experiment.id}`).send(experiment);
    },
  );

  app.get(
    '',
    {
      schema: {
        tags: TAGS,
        summary: 'List experiments, as JSON or CSV',
        description:
          'By Accept or ?format=. CSV has a row an experiment and a column for each setting of the config, by its path; where there is a next page, its address is in the header Link (RFC 8288).',
        querystring: ListExperimentsQuery,
        response: withProblems({
          200: {
            description: 'A page of experiments',
            content: {
              [TYPES.json]: { schema: ExperimentPageBody },
              [TYPES.csv]: { schema: textLike(CSV_EXAMPLE) },
            },
          },
        }),
      },
    },
    async ({ query: { state, sort, format, ...query }, headers, url }, reply) => {
      const descending = sort.startsWith('-');
      const readPage = () =>
        listExperiments(services.store, {
          ...query,
          states: state,
          sort: descending ? sort.slice(1) : sort,
          descending,
        });
      if (chooseFormat(reply, TYPES, format, headers.accept) === 'json') {
        const serialize = () => String(reply.serializeInput(readPage(), '200', TYPES.json));
        return reply.send(answers.answer(linkTo(url), serialize) as never);
      }
      const page = readPage();
      if (page.nextCursor !== null) reply.header('link', nextPage(url, page.nextCursor));
      return reply.send(experimentsCsv(page.items) as never);
    },
  );
}

/** The address of the next page, as the value of a Link header. */
function nextPage(url: string, cursor: string): string {
  const [path, query] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', cursor);
  return `<${linkTo(`${path}?${parameters}`)}>; rel="next"`;
}
