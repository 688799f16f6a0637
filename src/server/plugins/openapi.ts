import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { RouteOptions } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { z } from 'zod';
import { CorpusInfo } from '../../contracts/corpus.js';
import { EvaluationResult } from '../../contracts/evaluation.js';
import { Experiment } from '../../contracts/experiment.js';
import { ExperimentConfig, ExperimentInput } from '../../contracts/experiment-config.js';
import { GenerationResult } from '../../contracts/generation.js';
import { EventBody, Problem } from '../../contracts/http.js';
import { BackendReport } from '../../contracts/jobs.js';
import { Checkpoint, MetricPoint } from '../../contracts/metrics.js';
import { Completion, OpenAiError, OpenAiModel } from '../../contracts/openai.js';
import { ScoreResult } from '../../contracts/score.js';
import type { HttpApp } from '../http-app.js';
import { scopeOf } from './access.js';

/** Schemas that the document names once, and the name of each. */
const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Experiment,
  ExperimentConfig,
  NewExperiment: ExperimentInput,
  Event: EventBody,
  MetricPoint,
  Checkpoint,
  GenerationResult,
  EvaluationResult,
  ScoreResult,
  Completion,
  OpenAiModel,
  OpenAiError,
  Corpus: CorpusInfo,
  Backend: BackendReport,
  Problem,
};
const EXAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  NewExperiment: [{ preset: 'rnnlm', corpus: 'ptb', training: { epochs: 4 } }],
};

/** /openapi.json (OpenAPI 3.1, made from the routes' schemas) and its page at /docs. To be called before the routes. */
export async function describeInterface(app: HttpApp, version: string): Promise<void> {
  for (const [id, schema] of Object.entries(COMPONENTS)) {
    const examples = EXAMPLES[id];
    z.globalRegistry.add(schema, { ...schema.meta(), id, ...(examples && { examples: [...examples] }) });
  }
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'gatelm',
        version,
        description: 'Trains, watches and serves gated recurrent (LSTM) language models on your own machine.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'experiments', description: 'Train models and watch them' },
        { name: 'models', description: 'Write, score and evaluate with what was trained' },
        { name: 'sessions', description: 'Texts that go on from request to request' },
        { name: 'corpora', description: 'Text to learn from' },
        { name: 'operations', description: 'Health and figures' },
      ],
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description:
              'A key with the scope that the call names; a server on loopback without keys asks for none',
          },
        },
      },
    },
    transform: (input) => {
      const { route } = input as { route: RouteOptions };
      const { schema, url } = jsonSchemaTransform(input);
      const scope = scopeOf(String(route.method), route.config ?? {});
      return { schema: { ...schema, security: [{ apiKey: [scope] }, {}] }, url };
    },
    transformObject: (document) =>
      withoutUnusedComponents(jsonSchemaTransformObject(document) as OpenAPIV3_1.Document),
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(app.swagger()) as never),
  );
}

/** Each schema comes in a form for requests and one for answers; the one that no route refers to is left out. */
function withoutUnusedComponents(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const { schemas = {}, ...components } = document.components ?? {};
  const used = new Set<string>();
  const open = [JSON.stringify({ ...document, components })];
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      open.push(JSON.stringify(schemas[name]));
    }
  }
  const kept = Object.entries(schemas).filter(([name]) => used.has(name));
  return { ...document, components: { ...components, schemas: Object.fromEntries(kept) } };
}
