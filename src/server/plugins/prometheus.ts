import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, Histogram, Registry } from 'prom-client';
import { ExperimentState } from '../../contracts/experiment.js';
import type { Services } from '../../experiments/services.js';
import type { HttpApp } from '../http-app.js';
import { exampleText, TEXT_EXAMPLES } from '../openapi-examples.js';
import { withProblems } from '../problem.js';
import type { StreamRegistry } from '../streams/stream-registry.js';

/** Upper bounds of the answer times, in seconds. */
const SECONDS_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];
const NANOSECONDS = 1e9;

/** Latest metrics of each training under way, by their keys. */
const TRAINING_GAUGES = {
  tokensPerSecond: ['gatelm_training_tokens_per_second', 'Speed of each training under way'],
  stepLoss: ['gatelm_training_loss', 'Loss of the latest step of each training under way, nats per token'],
  validLoss: ['gatelm_training_valid_loss', 'Latest loss on the valid split, nats per token'],
  gradNorm: ['gatelm_training_gradient_norm', 'Norm of the latest gradient, before clipping'],
} as const;

/** /metrics, for Prometheus: what is true at the moment it is asked, and how long answers took. */
export function exposeMetrics(app: HttpApp, services: Services, streams: StreamRegistry): void {
  const registry = new Registry();
  const registers = [registry];
  const { store, queue, trainingExecutor } = services;

  const answers = new Histogram({
    name: 'gatelm_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer',
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
  gauge('gatelm_training_slots', 'Experiments that may train side by side', () =>
    trainingExecutor.capacity(),
  );
  gauge('gatelm_training_slots_used', 'Experiments that hold a slot', () => queue.activeIds.length);
  gauge('gatelm_streams', 'Open event streams', () => streams.size);
  gauge('process_resident_memory_bytes', 'Resident memory of the server process', () =>
    process.memoryUsage.rss(),
  );
  for (const [host, executor] of Object.entries({ training: trainingExecutor, inference: services.executor }))
    gauge(
      `gatelm_${host}_resident_memory_bytes`,
      `Resident memory of the ${host} host`,
      () => executor.hostStats?.().residentBytes ?? 0,
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
  const delay = monitorEventLoopDelay();
  delay.enable();
  gauge(
    'gatelm_event_loop_delay_p99_seconds',
    'Event-loop delay since the last time it was asked for',
    () => {
      const seconds = delay.percentile(99) / NANOSECONDS;
      delay.reset();
      return seconds;
    },
  );
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
        summary: 'Figures for Prometheus',
        response: withProblems({
          200: {
            description: 'Text exposition format',
            content: { 'text/plain': { schema: exampleText(TEXT_EXAMPLES.prometheus) } },
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
