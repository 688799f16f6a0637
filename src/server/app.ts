import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import autoload from '@fastify/autoload';
import Fastify, { type FastifyBaseLogger } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { assertSafeBind } from '../contracts/environment.js';
import { KeyRing } from '../experiments/api-keys.js';
import type { Services } from '../experiments/services.js';
import { answerClientError } from './client-error.js';
import type { AppContext, HttpApp } from './http-app.js';
import { withoutBasePath } from './plugins/base-path.js';
import { answerProblem } from './problem.js';
import { StreamRegistry } from './streams/stream-registry.js';
import { Tickets } from './tickets.js';
import { TrustedProxies } from './trusted-proxies.js';
import { compileValidation } from './validation.js';

/** Beyond the length of any id or name, which the schemas check: characters may have several code units, and marks of their own. */
const MAX_PARAM_LENGTH = 2000;

export interface AppOptions {
  /** Default: no log. */
  readonly logger?: FastifyBaseLogger;
  /** Folder of the built dashboard; default: the output folder of the build. */
  readonly dashboardFolder?: string | undefined;
}

/**
 * The HTTP API of the services: loads every file of `plugins/`, then every file of `routes/`, whose folders are the paths
 * (`_id` is `:id`). Does not listen; `app.close()` ends its streams, but does not close the services.
 * @throws unsafe-bind if it would be open to other machines without API keys
 */
export async function buildApp(
  services: Services,
  { logger, dashboardFolder }: AppOptions = {},
): Promise<HttpApp> {
  const { environment } = services;
  const context: AppContext = {
    ...services,
    streams: new StreamRegistry(environment.maxSubscribers),
    tickets: new Tickets(),
    keys: new KeyRing(environment, services.store.apiKeys),
    dashboardFolder,
  };
  assertSafeBind(environment, context.keys.hasAny);
  const proxies = new TrustedProxies(environment.trustedProxies);
  const app = Fastify({
    ...(logger && { loggerInstance: logger }),
    bodyLimit: environment.maxBodyBytes,
    genReqId: () => randomBytes(8).toString('hex'),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    trustProxy: (address: string) => proxies.has(address),
    rewriteUrl: ({ url = '/' }) => withoutBasePath(url, environment.basePath),
    requestTimeout: environment.requestTimeoutMs,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => void answerProblem(error, request, reply),
  }).withTypeProvider<ZodTypeProvider>() as unknown as HttpApp;
  app.setValidatorCompiler(compileValidation);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerProblem);
  await app.register(autoload, { dir: folder('plugins'), encapsulate: false, options: context });
  await app.register(autoload, { dir: folder('routes'), routeParams: true, options: context });
  return app;
}

function folder(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
