import type { Experiment, LatestMetrics } from '../contracts/experiment.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import type { MetricValues } from '../store/metric-repository.js';
import type { Store } from '../store/store.js';
import { linkTo } from './links.js';

/** Experiments in the form of the HTTP API; one query each for all metrics and queue positions. */
export function viewExperiments(store: Store, experiments: readonly ExperimentRecord[]): Experiment[] {
  const latest = store.metrics.latest(experiments.map(({ number }) => number));
  const queued = experiments.filter(({ state }) => state === 'queued').map(({ number }) => number);
  const positions = queued.length > 0 ? store.experiments.queuePositions(queued) : new Map<number, number>();
  return experiments.map((experiment) => ({
    id: experiment.id,
    name: experiment.name,
    tags: experiment.tags,
    notes: experiment.notes,
    priority: experiment.priority,
    state: experiment.state,
    config: experiment.config,
    parentId: experiment.parentId,
    createdAt: experiment.createdAt,
    startedAt: experiment.startedAt,
    endedAt: experiment.endedAt,
    attempt: experiment.attempt,
    seq: experiment.seq,
    queuePosition: positions.get(experiment.number) ?? null,
    parameterCount: experiment.parameterCount,
    vocabularySize: experiment.vocabularySize,
    latest: viewLatest(latest.get(experiment.number) ?? {}),
    best: {
      epoch: experiment.bestEpoch,
      validPerplexity: experiment.bestValidPerplexity,
      validBitsPerByte: experiment.bestValidBitsPerByte,
    },
    test: { perplexity: experiment.testPerplexity, bitsPerByte: experiment.testBitsPerByte },
    digest: experiment.digest,
    run: experiment.run,
    error: experiment.error,
    links: linksOf(experiment.id),
  }));
}

export function viewExperiment(store: Store, experiment: ExperimentRecord): Experiment {
  return viewExperiments(store, [experiment])[0]!;
}

function viewLatest(values: MetricValues): LatestMetrics {
  return {
    epoch: values.epoch ?? null,
    step: values.step ?? null,
    trainPerplexity: values.trainPerplexity ?? null,
    validPerplexity: values.validPerplexity ?? null,
    validBitsPerByte: values.validBitsPerByte ?? null,
    learningRate: values.learningRate ?? null,
    tokensPerSecond: values.tokensPerSecond ?? null,
    gradNorm: values.gradNorm ?? null,
    remainingSeconds: values.remainingSeconds ?? null,
  };
}

/** Links to the resources of an experiment. */
export function linksOf(id: string): Record<string, string> {
  const self = linkTo(`/experiments/${id}`);
  return {
    self,
    progress: `${self}/progress`,
    events: `${self}/events`,
    metrics: `${self}/metrics`,
    checkpoints: `${self}/checkpoints`,
    export: `${self}/export`,
    archive: `${self}/archive`,
    tensorboard: `${self}/tensorboard`,
    generate: linkTo(`/generate?experiment=${id}`),
  };
}
