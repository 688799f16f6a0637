import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { z } from 'zod';
import { packageVersion } from '../../package-version.js';
import type { HttpApp } from '../http-app.js';
import { scopeOf } from './access.js';

/**
 * /openapi.json (OpenAPI 3.1, generated from the schemas of the routes) and its page at /docs. Schemas with an id in their `.meta` are
 * components. Loaded before the routes.
 */
export default fp(describeInterface, {
  name: 'openapi',
  dependencies: ['unknown-routes', 'access', 'base-path'],
});

async function describeInterface(app: HttpApp): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'gatelm',
        version: packageVersion(),
        description: 'Trains, watches and serves gated recurrent (LSTM) language models on your own machine.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'experiments', description: 'Train models and follow their progress' },
        { name: 'sweeps', description: 'Hyperparameter search' },
        { name: 'models', description: 'Generate, score and evaluate text with trained models' },
        { name: 'sessions', description: 'Texts that continue across requests' },
        { name: 'corpora', description: 'Texts to train on' },
        { name: 'operations', description: 'Health and metrics' },
      ],
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description:
              'A key with the scope that the route requires; a server on loopback without keys needs none',
          },
        },
      },
    },
    transform: (input) => {
      const { route } = input as { route: RouteOptions };
      const { schema, url } = jsonSchemaTransform(input);
      const { config = {} } = route;
      const body = config.streamedBody && { body: { content: describeStreamedBody(config.streamedBody) } };
      const scope = scopeOf(String(route.method), config);
      return { schema: { ...schema, ...body, security: [{ apiKey: [scope] }, {}] }, url };
    },
    transformObject: (document) =>
      withoutUnusedComponents(jsonSchemaTransformObject(document) as OpenAPIV3_1.Document),
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiHooks: {
      // The page without a / at its end names its files by their path.
      onRequest: async ({ url, basePath }, reply) => {
        if (basePath !== '' && url === '/docs') await reply.redirect('/docs/');
      },
    },
    transformSpecification: (document, { basePath }) => servedAt(document, basePath),
  });
  app.get('/openapi.json', { schema: { hide: true } }, async ({ basePath }, reply) =>
    reply.type('application/json').send(JSON.stringify(servedAt(app.swagger(), basePath)) as never),
  );
}

/** The document with the path that a client has before each of its paths. */
function servedAt<Document extends object>(document: Document, basePath: string): Document {
  return basePath === '' ? document : { ...document, servers: [{ url: basePath }] };
}

/** Documentation of a streamed body, by media type. */
export interface StreamedBody {
  /** Fields of a form, and its files with their descriptions. */
  readonly form?: {
    readonly fields: z.ZodObject;
    readonly files: Readonly<Record<string, string>>;
    readonly required: readonly string[];
  };
  readonly text?: { readonly description: string; readonly example: string };
  /** Bytes of one type. */
  readonly file?: { readonly type: string; readonly description: string };
}

declare module 'fastify' {
  interface FastifyContextConfig {
    streamedBody?: StreamedBody;
  }
}

function describeStreamedBody({ form, text, file }: StreamedBody): Record<string, { schema: object }> {
  const content: Record<string, { schema: object }> = {};
  if (form) {
    const fields = z.toJSONSchema(form.fields, { io: 'input' }).properties;
    const files = Object.entries(form.files).map(
      ([name, description]) => [name, { type: 'string', format: 'binary', description }] as const,
    );
    const properties = { ...fields, ...Object.fromEntries(files) };
    content['multipart/form-data'] = {
      schema: { type: 'object', properties, required: form.required, additionalProperties: false },
    };
  }
  if (text)
    content['text/plain'] = {
      schema: { type: 'string', description: text.description, examples: [text.example] },
    };
  if (file)
    content[file.type] = { schema: { type: 'string', format: 'binary', description: file.description } };
  return content;
}

/** Each schema is generated in a form for requests and one for responses; removes those without references. */
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
