import { Health, Readiness } from '../../contracts/http.js';
import type { Services } from '../../experiments/services.js';
import type { HttpApp } from '../http-app.js';
import { packageVersion } from '../package-version.js';
import { withProblems } from '../problem.js';

const TAGS = ['operations'];

/** /healthz and /readyz */
export function routeHealth(app: HttpApp, services: Services): void {
  const { trainingExecutor, executor, queue, store } = services;
  const version = packageVersion();
  app.get(
    '/healthz',
    {
      schema: {
        tags: TAGS,
        summary: 'The server lives; what its hosts run on',
        response: withProblems({ 200: Health }),
      },
    },
    async (): Promise<Health> => ({
      status: 'ok',
      version,
      uptimeSeconds: Math.round(process.uptime()),
      training: {
        slots: trainingExecutor.slots,
        active: [...queue.activeIds],
        backend: trainingExecutor.backendReport(),
        processIds: [...trainingExecutor.processIds()],
      },
      inference: { backend: executor.backendReport(), processIds: [...executor.processIds()] },
    }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        tags: TAGS,
        summary: 'The server can take requests: its database answers',
        response: withProblems({ 200: Readiness }),
      },
    },
    async () => {
      store.check();
      return { status: 'ready' as const };
    },
  );
}
