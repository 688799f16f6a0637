import { randomBytes } from 'node:crypto';
import helmet from '@fastify/helmet';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyRequest, type FastifyServerOptions } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { assertSafeBind } from '../contracts/environment.js';
import { KeyRing } from '../experiments/api-keys.js';
import type { Services } from '../experiments/services.js';
import { answerClientError } from './client-error.js';
import type { HttpApp } from './http-app.js';
import { packageVersion } from './package-version.js';
import { controlAccess } from './plugins/access.js';
import { acceptBodies } from './plugins/bodies.js';
import { serveDashboard } from './plugins/dashboard.js';
import { endConnections } from './plugins/end-connections.js';
import { describeInterface } from './plugins/openapi.js';
import { exposeMetrics } from './plugins/prometheus.js';
import { limitRate } from './plugins/rate-limits.js';
import { refuseUnknownRoutes } from './plugins/unknown-routes.js';
import { answerProblem } from './problem.js';
import { routeCorpora } from './routes/corpora/corpora.js';
import { routeExperiments } from './routes/experiments/experiments.js';
import { routeEvaluate } from './routes/experiments/id/evaluate.js';
import { routeEvents } from './routes/experiments/id/events.js';
import { routeExperiment } from './routes/experiments/id/experiment.js';
import { routeMetrics } from './routes/experiments/id/metrics.js';
import { routeProgress } from './routes/experiments/id/progress.js';
import { routeTransfer } from './routes/experiments/transfer.js';
import { routeGenerate } from './routes/generate.js';
import { routeHealth } from './routes/health.js';
import { routePresets } from './routes/presets.js';
import { routeScore } from './routes/score.js';
import { routeSessions } from './routes/sessions/sessions.js';
import sweepRoutes from './routes/sweeps/_id/sweep.js';
import trialsRoutes from './routes/sweeps/_id/trials.js';
import sweepsRoutes from './routes/sweeps/sweeps.js';
import { routeTickets } from './routes/tickets.js';
import { routeCompletions } from './routes/v1/completions.js';
import { routeModels } from './routes/v1/models.js';
import { StreamRegistry } from './streams/stream-registry.js';
import { Tickets } from './tickets.js';
import { compileValidation } from './validation.js';

export interface AppOptions {
  /** pino’s options; false = no log. */
  readonly logger?: FastifyServerOptions['logger'];
  /** Where the built dashboard is; left out: where the build puts it. */
  readonly dashboardFolder?: string | undefined;
}

/** A request in the log: what stands for a key in its address is left out. */
function describeRequest({ method, url, host, ip }: FastifyRequest) {
  const [, experimentId] = /^\/experiments\/([^/?]{1,64})/.exec(url) ?? [];
  return {
    method,
    url: url.replace(/([?&]ticket=)[^&]*/g, '$1…'),
    host,
    remoteAddress: ip,
    ...(experimentId !== undefined && { experimentId }),
  };
}

/** What pages of this server may load: their own files alone. */
const CONTENT_SOURCES = {
  defaultSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  styleSrc: ["'self'", "'unsafe-inline'"],
  connectSrc: ["'self'"],
  upgradeInsecureRequests: null, // it is served by plain HTTP
};

/** Largest message that a client may send on a socket; none is expected. */
const MAX_SOCKET_MESSAGE_BYTES = 1024;
/** Time that clients get to answer the closing of their sockets. */
const SOCKET_CLOSE_MS = 1000;

/**
 * The HTTP interface over the services. Does not listen; `app.close()` ends its streams, and leaves the services to
 * whoever made them.
 * @throws unsafe-bind when it would be open to others without API keys
 */
export async function buildApp(
  services: Services,
  { logger = false, dashboardFolder }: AppOptions = {},
): Promise<HttpApp> {
  const { environment } = services;
  const keys = new KeyRing(environment, services.store.apiKeys);
  assertSafeBind(environment, keys.hasAny);
  const app = Fastify({
    logger: typeof logger === 'object' ? { ...logger, serializers: { req: describeRequest } } : logger,
    bodyLimit: environment.maxBodyBytes,
    genReqId: () => randomBytes(8).toString('hex'),
    routerOptions: { maxParamLength: 200 },
    requestTimeout: environment.requestTimeoutMs,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => void answerProblem(error, request, reply),
  }).withTypeProvider<ZodTypeProvider>() as unknown as HttpApp;
  app.setValidatorCompiler(compileValidation);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerProblem);
  acceptBodies(app);
  refuseUnknownRoutes(app);
  endConnections(app);
  await app.register(helmet, { contentSecurityPolicy: { directives: CONTENT_SOURCES }, hsts: false });

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

  const tickets = new Tickets();
  controlAccess(app, environment, keys, tickets);
  await limitRate(app, environment);
  await describeInterface(app, packageVersion());
  exposeMetrics(app, services, streams);
  routeExperiments(app, services);
  routeExperiment(app, services);
  routeProgress(app, services, streams);
  routeEvents(app, services, streams);
  routeMetrics(app, services);
  routeEvaluate(app, services, streams);
  routeTransfer(app, services);
  routeGenerate(app, services, streams);
  routeScore(app, services, streams);
  routeSessions(app, services, streams);
  routeCompletions(app, services, streams);
  routeModels(app, services);
  routeCorpora(app, services);
  routePresets(app);
  routeHealth(app, services);
  routeTickets(app, tickets);
  await app.register(sweepsRoutes, { ...services, prefix: '/sweeps' });
  await app.register(sweepRoutes, { ...services, prefix: '/sweeps/:id' });
  await app.register(trialsRoutes, { ...services, prefix: '/sweeps/:id' });
  await serveDashboard(app, dashboardFolder);
  return app;
}
