import { randomBytes } from 'node:crypto';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyServerOptions } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { assertSafeBind } from '../contracts/environment.js';
import type { Services } from '../experiments/services.js';
import type { HttpApp } from './http-app.js';
import { acceptBodies } from './plugins/bodies.js';
import { refuseUnknownRoutes } from './plugins/unknown-routes.js';
import { answerProblem } from './problem.js';
import { routeExperiments } from './routes/experiments/experiments.js';
import { routeExperiment } from './routes/experiments/id/experiment.js';
import { routeProgress } from './routes/experiments/id/progress.js';
import { StreamRegistry } from './streams/stream-registry.js';
import { compileValidation } from './validation.js';

export interface AppOptions {
  /** pino's instance or options; false = no log. */
  readonly logger?: FastifyServerOptions['logger'];
}

/** Largest message that a client may send on a socket; none is expected. */
const MAX_SOCKET_MESSAGE_BYTES = 1024;
/** Time that clients get to answer the closing of their sockets. */
const SOCKET_CLOSE_MS = 1000;

/**
 * The HTTP interface over the services. Does not listen; `app.close()` ends its streams, and leaves the services to
 * whoever made them.
 * @throws unsafe-bind when it would be open to others without API keys
 */
export async function buildApp(services: Services, { logger = false }: AppOptions = {}): Promise<HttpApp> {
  const { environment } = services;
  assertSafeBind(environment);
  const app = Fastify({
    logger,
    bodyLimit: environment.maxBodyBytes,
    genReqId: () => randomBytes(8).toString('hex'),
    routerOptions: { maxParamLength: 200 },
    requestTimeout: 120_000,
  }).withTypeProvider<ZodTypeProvider>() as unknown as HttpApp;
  app.setValidatorCompiler(compileValidation);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerProblem);
  acceptBodies(app);
  refuseUnknownRoutes(app);

  const streams = new StreamRegistry(environment.maxSubscribers);
  await app.register(websocket, {
    options: { maxPayload: MAX_SOCKET_MESSAGE_BYTES },
    errorHandler: (_error, socket) => socket.terminate(),
    preClose(done) {
      streams.shutDown();
      const { clients } = this.websocketServer;
      const timer = setTimeout(() => {
        for (const client of clients) client.terminate();
      }, SOCKET_CLOSE_MS);
      this.websocketServer.close(() => {
        clearTimeout(timer);
        done();
      });
    },
  });

  routeExperiments(app, services);
  routeExperiment(app, services);
  routeProgress(app, services, streams);
  return app;
}
