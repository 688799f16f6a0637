import { Counter, Gauge, type Registry } from 'prom-client';
import type { HttpApp, Uses } from './http-app.js';

const FILES = '/artifacts/*';

/** Figures of the machines that train for this server; none where it trains by itself. */
export function addClusterMetrics(
  app: HttpApp,
  registry: Registry,
  { trainingExecutor }: Uses<'trainingExecutor'>,
): void {
  const clusterStats = trainingExecutor.clusterStats?.bind(trainingExecutor);
  if (!clusterStats) return;
  const registers = [registry];
  addMachines(registry, 'trainer', {
    machines: () =>
      clusterStats().trainers.map(({ active, ...trainer }) => ({ ...trainer, active: active.length })),
    help: {
      all: 'Trainers that have reported lately',
      slots: 'Trainings that each trainer takes at once',
      active: 'Trainings that each trainer has',
    },
  });
  new Gauge({
    name: 'gatelm_leases',
    help: 'Trainings that are handed out',
    registers,
    collect() {
      this.set(clusterStats().leases);
    },
  });
  new Gauge({
    name: 'gatelm_queue_lag_seconds',
    help: 'Age of the oldest event of a trainer when the server read it',
    registers,
    collect() {
      this.set(clusterStats().lagMs / 1000);
    },
  });
  const bytes = new Counter({
    name: 'gatelm_artifact_bytes_total',
    help: 'Bytes of files that trainers have fetched and sent',
    labelNames: ['direction'],
    registers,
  });
  app.addHook('onResponse', async ({ method, headers, routeOptions }, reply) => {
    if (routeOptions.url !== FILES || reply.statusCode >= 300) return;
    const length = Number(method === 'PUT' ? headers['content-length'] : reply.getHeader('content-length'));
    if (method === 'GET' || method === 'PUT')
      bytes.inc({ direction: method === 'PUT' ? 'sent' : 'fetched' }, length || 0);
  });
}

/** Figures of the machines that run inference tasks beside this server. */
export function addInferencerMetrics(registry: Registry, { executor }: Uses<'executor'>): void {
  addMachines(registry, 'inferencer', {
    machines: () => executor.inferencers?.() ?? [],
    help: {
      all: 'Inferencers that are connected',
      slots: 'Threads of each inferencer',
      active: 'Tasks that each inferencer has',
    },
  });
}

interface Machines {
  readonly machines: () => readonly {
    readonly id: string;
    readonly hostname: string;
    readonly slots: number;
    readonly active: number;
  }[];
  readonly help: { readonly all: string; readonly slots: string; readonly active: string };
}

/** How many machines of a kind there are, and what each of them can and does. */
function addMachines(registry: Registry, kind: 'trainer' | 'inferencer', { machines, help }: Machines): void {
  const registers = [registry];
  new Gauge({
    name: `gatelm_${kind}s`,
    help: help.all,
    registers,
    collect() {
      this.set(machines().length);
    },
  });
  for (const figure of ['slots', 'active'] as const)
    new Gauge({
      name: `gatelm_${kind}_${figure}`,
      help: help[figure],
      labelNames: [kind, 'host'],
      registers,
      collect() {
        this.reset();
        for (const { id, hostname, [figure]: value } of machines())
          this.set({ [kind]: id, host: hostname }, value);
      },
    });
}
