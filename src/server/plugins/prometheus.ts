import { statfsSync } from 'node:fs';
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import fp from 'fastify-plugin';
import { Gauge, Histogram, Registry } from 'prom-client';
import { textLike } from '../../contracts/example-of.js';
import { ExperimentState } from '../../contracts/experiment.js';
import { packageVersion } from '../../package-version.js';
import { addClusterMetrics, addInferencerMetrics } from '../cluster-metrics.js';
import type { HttpApp, Uses } from '../http-app.js';
import { withProblems } from '../problem.js';

/** Upper bounds of the response time buckets, in seconds. */
const SECONDS_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];
const NANOSECONDS = 1e9;

/** Latest metrics of each running training, by key. */
const TRAINING_GAUGES = {
  tokensPerSecond: ['gatelm_training_tokens_per_second', 'Speed of each running training'],
  stepLoss: ['gatelm_training_loss', 'Loss of the latest step of each running training, in nats per token'],
  validLoss: ['gatelm_training_valid_loss', 'Latest loss on the valid split, in nats per token'],
  gradNorm: ['gatelm_training_gradient_norm', 'Latest gradient norm, before clipping'],
} as const;

const EXAMPLE = '# HELP gatelm_streams Open event streams\n# TYPE gatelm_streams gauge\ngatelm_streams 2\n';

/** /metrics, for Prometheus: gauges collected at each scrape, and response times. */
export default fp(exposeMetrics, { name: 'prometheus', dependencies: ['openapi'] });

async function exposeMetrics(
  app: HttpApp,
  {
    store,
    queue,
    trainingExecutor,
    executor,
    streams,
    folder,
  }: Uses<'store' | 'queue' | 'trainingExecutor' | 'executor' | 'streams' | 'folder'>,
): Promise<void> {
  const registry = new Registry();
  const registers = [registry];

  const answers = new Histogram({
    name: 'gatelm_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its response',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  new Gauge({
    name: 'gatelm_experiments',
    help: 'Experiments by state',
    labelNames: ['state'],
    registers,
    collect() {
      const counts = store.experiments.countByState();
      for (const state of ExperimentState.options) this.set({ state }, counts.get(state) ?? 0);
    },
  });
  gauge('gatelm_training_slots', 'Experiments that may train in parallel', () => trainingExecutor.capacity());
  gauge('gatelm_training_slots_used', 'Experiments that occupy a slot', () => queue.activeIds.length);
  gauge('gatelm_streams', 'Open event streams', () => streams.size);
  gauge('process_resident_memory_bytes', 'Resident memory of the server process', () =>
    process.memoryUsage.rss(),
  );
  gauge('process_cpu_seconds_total', 'Processor time of the server process', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  for (const [name, host] of Object.entries({ training: trainingExecutor, inference: executor })) {
    gauge(
      `gatelm_${name}_resident_memory_bytes`,
      `Resident memory of the ${name} host`,
      () => host.hostStats?.().residentBytes ?? 0,
    );
    gauge(
      `gatelm_${name}_cpu_seconds`,
      `Processor time of the present process of the ${name} host; begins anew with the next one`,
      () => host.hostStats?.().cpuSeconds ?? 0,
    );
  }
  gauge('gatelm_data_free_bytes', 'Room on the disk of the data folder', () => {
    try {
      const { bavail, bsize } = statfsSync(folder.path);
      return bavail * bsize;
    } catch {
      return Number.NaN; // it is away; /readyz says so
    }
  });
  gauge('gatelm_machine_memory_bytes', 'Memory of the machine', totalmem);
  gauge('gatelm_machine_free_memory_bytes', 'Memory of the machine that nothing uses', freemem);
  gauge('gatelm_machine_load', 'Processes that want to run, mean of a minute', () => loadavg()[0]!);
  gauge('gatelm_machine_cores', 'Processor cores', availableParallelism);
  new Gauge({
    name: 'gatelm_build_info',
    help: 'Versions, as labels',
    labelNames: ['version', 'node', 'platform'],
    registers,
  }).set(
    { version: packageVersion(), node: process.version, platform: `${process.platform} ${process.arch}` },
    1,
  );
  const trainings = Object.entries(TRAINING_GAUGES).map(([key, [name, help]]) => ({
    key,
    gauge: new Gauge({ name, help, labelNames: ['experiment'], registers }),
  }));
  const readTrainings = () => {
    const running = store.experiments.withState('running');
    const latest = store.metrics.latest(running.map(({ number }) => number));
    for (const { key, gauge } of trainings) {
      gauge.reset();
      for (const { id, number } of running) {
        const value = latest.get(number)?.[key];
        if (value != null) gauge.set({ experiment: id }, value);
      }
    }
  };
  addClusterMetrics(app, registry, { trainingExecutor });
  addInferencerMetrics(registry, { executor });
  const delay = monitorEventLoopDelay();
  delay.enable();
  gauge('gatelm_event_loop_delay_p99_seconds', 'Event-loop delay since the last scrape', () => {
    const seconds = delay.percentile(99) / NANOSECONDS;
    delay.reset();
    return seconds;
  });
  app.addHook('onClose', async () => {
    delay.disable();
  });

  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    answers.observe(
      { method, route: routeOptions.url ?? 'none', status: reply.statusCode },
      reply.elapsedTime / 1000,
    );
  });
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['operations'],
        summary: 'Metrics for Prometheus',
        response: withProblems({
          200: {
            description: 'Text exposition format',
            content: { 'text/plain': { schema: textLike(EXAMPLE) } },
          },
        }),
      },
    },
    async (_request, reply) => {
      readTrainings();
      return reply.type(registry.contentType).send((await registry.metrics()) as never);
    },
  );

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
}
