import { Health, Readiness } from '../../contracts/health.js';
import type { InferencerReport } from '../../contracts/inferencer.js';
import { appError } from '../../errors.js';
import { packageVersion } from '../../package-version.js';
import type { HttpApp, Uses } from '../http-app.js';
import { withProblems } from '../problem.js';

const TAGS = ['operations'];

type Host = Pick<Uses<'executor'>['executor'], 'backendReport' | 'unusableReason' | 'hostStats'>;

function processIdsOf(host: Host): number[] {
  return [...(host.hostStats?.().processIds ?? [])];
}

function sumOf(inferencers: readonly InferencerReport[]): Health['inferencers'] {
  const sum = (count: (inferencer: InferencerReport) => number) =>
    inferencers.reduce((total, each) => total + count(each), 0);
  return {
    connected: inferencers.length,
    slots: sum(({ slots }) => slots),
    active: sum(({ active }) => active),
  };
}

/** @throws host-unavailable, with the reason */
function readinessOf(name: 'training' | 'inference', host: Host): Readiness['training'] {
  const reason = host.unusableReason();
  if (reason !== null) throw appError('host-unavailable', { host: name, reason });
  if (processIdsOf(host).length === 0) return 'idle';
  return host.backendReport() ? 'ready' : 'starting';
}

/** /healthz and /readyz */
export default async function healthRoutes(
  app: HttpApp,
  {
    trainingExecutor,
    executor,
    folder,
    queue,
    store,
  }: Uses<'trainingExecutor' | 'executor' | 'folder' | 'queue' | 'store'>,
): Promise<void> {
  const version = packageVersion();
  app.get(
    '/healthz',
    {
      schema: {
        tags: TAGS,
        summary: 'Liveness of the server, and the backends of its hosts',
        response: withProblems({ 200: Health }),
      },
    },
    async (): Promise<Health> => ({
      status: 'ok',
      version,
      uptimeSeconds: Math.round(process.uptime()),
      training: {
        slots: trainingExecutor.capacity(),
        active: [...queue.activeIds],
        backend: trainingExecutor.backendReport(),
        processIds: processIdsOf(trainingExecutor),
      },
      inference: { backend: executor.backendReport(), processIds: processIdsOf(executor) },
      inferencers: sumOf(executor.inferencers?.() ?? []),
    }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        tags: TAGS,
        summary: 'Readiness of the server: the database responds, and the hosts can load TensorFlow',
        response: withProblems({ 200: Readiness }),
      },
    },
    async (): Promise<Readiness> => {
      store.check();
      folder.assertPresent();
      return {
        status: 'ready',
        database: 'ready',
        training: readinessOf('training', trainingExecutor),
        inference: readinessOf('inference', executor),
      };
    },
  );
}
