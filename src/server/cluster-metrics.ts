import { Counter, Gauge, type Registry } from 'prom-client';
import type { HttpApp, Uses } from './http-app.js';

const FILES = '/artifacts/*';

/** Figures of the machines that run inference tasks beside this server. */
export function addInferencerMetrics(registry: Registry, { executor }: Uses<'executor'>): void {
  const registers = [registry];
  const inferencers = () => executor.inferencers?.() ?? [];
  new Gauge({
    name: 'gatelm_inferencers',
    help: 'Inferencers that are connected',
    registers,
    collect() {
      this.set(inferencers().length);
    },
  });
  for (const [name, help] of [
    ['slots', 'Threads of each inferencer'],
    ['active', 'Tasks that each inferencer has'],
  ] as const)
    new Gauge({
      name: `gatelm_inferencer_${name}`,
      help,
      labelNames: ['inferencer', 'host'],
      registers,
      collect() {
        this.reset();
        for (const { id, hostname, [name]: value } of inferencers())
          this.set({ inferencer: id, host: hostname }, value);
      },
    });
}

/** Figures of the machines that train for this server; none where it trains by itself. */
export function addClusterMetrics(
  app: HttpApp,
  registry: Registry,
  { trainingExecutor }: Uses<'trainingExecutor'>,
): void {
  const clusterStats = trainingExecutor.clusterStats?.bind(trainingExecutor);
  if (!clusterStats) return;
  const registers = [registry];
  new Gauge({
    name: 'gatelm_trainers',
    help: 'Trainers that have reported lately',
    registers,
    collect() {
      this.set(clusterStats().trainers.length);
    },
  });
  for (const [name, help, read] of [
    ['slots', 'Trainings that each trainer takes at once', 'slots'],
    ['active', 'Trainings that each trainer has', 'active'],
  ] as const)
    new Gauge({
      name: `gatelm_trainer_${name}`,
      help,
      labelNames: ['trainer', 'host'],
      registers,
      collect() {
        this.reset();
        for (const { id, hostname, [read]: value } of clusterStats().trainers)
          this.set({ trainer: id, host: hostname }, typeof value === 'number' ? value : value.length);
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
