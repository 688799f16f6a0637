import type { TrainingEvent } from '../contracts/events.js';
import type { ExperimentState } from '../contracts/experiment.js';
import type { ExperimentPatch, ExperimentRecord } from '../contracts/experiment-record.js';
import { EPOCH_METRICS, STEP_METRICS } from '../contracts/metrics.js';
import type { Store } from '../store/store.js';
import { mayFollow } from './transitions.js';

/** Updates the tables of experiments, metrics and checkpoints from an event. Runs in the transaction of the event. */
export function applyEvent(
  store: Store,
  experiment: ExperimentRecord,
  event: TrainingEvent,
  time: string,
): void {
  const set = (patch: ExperimentPatch) => store.experiments.update(experiment.number, patch);
  const become = (state: ExperimentState, patch: ExperimentPatch = {}) => {
    if (state !== experiment.state && !mayFollow(experiment.state, state))
      throw new Error(`${experiment.id} cannot become ${state} from ${experiment.state}`);
    set({ state, ...patch });
  };

  switch (event.type) {
    case 'queued':
      become('queued', { willRestart: false, endedAt: null, error: null });
      break;
    case 'preparing':
      become('preparing', {
        attempt: event.data.attempt,
        startedAt: experiment.startedAt ?? time,
        endedAt: null,
      });
      break;
    case 'started':
      applyStarted(store, experiment, event, set);
      break;
    case 'step':
      applyStep(store, experiment, event, time);
      break;
    case 'epoch':
      applyEpoch(store, experiment, event, time, set);
      break;
    case 'sample':
    case 'warning':
      break;
    case 'checkpoint':
      store.checkpoints.add(experiment.number, { ...event.data, time });
      if (event.data.isBest) set({ modelDigest: event.data.digest });
      break;
    case 'rollback':
      rewind(store, experiment.number, event.data.restored.step, set);
      break;
    case 'pausing':
    case 'paused':
    case 'cancelling':
      become(event.type);
      break;
    case 'interrupted':
      become('interrupted', { willRestart: event.data.willRestart });
      break;
    case 'cancelled':
      become('cancelled', { endedAt: time });
      break;
    case 'failed':
      become('failed', { endedAt: time, error: event.data.error });
      break;
    case 'succeeded': {
      const { testPerplexity, testLoss, testBitsPerByte, digest } = event.data;
      store.metrics.setLatest(experiment.number, { testPerplexity, testLoss, testBitsPerByte });
      become('succeeded', { endedAt: time, testPerplexity, testBitsPerByte, digest });
      break;
    }
    default:
      event satisfies never;
  }
}

type EventOf<Type extends TrainingEvent['type']> = Extract<TrainingEvent, { type: Type }>;

/** The training continues from a checkpoint, or from the beginning (-1): later metrics are measured again. */
function rewind(
  { metrics, checkpoints }: Store,
  experiment: number,
  step: number,
  set: (patch: ExperimentPatch) => void,
): void {
  metrics.rewind(experiment, step);
  checkpoints.rewind(experiment, step);
  const best = metrics.lowest(experiment, 'validPerplexity');
  const bits = metrics.lowest(experiment, 'validBitsPerByte'); // of the same epoch: both rise with the loss
  set({
    bestEpoch: best?.epoch ?? null,
    bestValidPerplexity: best?.value ?? null,
    bestValidBitsPerByte: bits?.value ?? null,
  });
}

function applyStarted(
  store: Store,
  { number, state, attempt }: ExperimentRecord,
  { data }: EventOf<'started'>,
  set: (patch: ExperimentPatch) => void,
): void {
  const { backend, kernels, threads, provenance, parameterCount, vocabularySize, resumedFrom } = data;
  if (attempt > 1) rewind(store, number, resumedFrom?.step ?? -1, set);
  set({
    parameterCount,
    vocabularySize,
    run: { backend, kernels, threads, ...(provenance && { provenance }) },
  });
  if (state === 'preparing') set({ state: 'running' }); // otherwise a stop was requested in the meantime
}

function applyStep(
  { metrics }: Store,
  { number }: ExperimentRecord,
  { data }: EventOf<'step'>,
  time: string,
): void {
  const { step, epoch, loss, learningRate, tokensPerSecond, gradNorm, remainingSeconds } = data;
  const keys = Object.entries(STEP_METRICS) as [keyof typeof STEP_METRICS, string][];
  metrics.addPoints(
    number,
    { step, epoch, time: Date.parse(time) },
    Object.fromEntries(keys.map(([field, key]) => [key, data[field]])),
  );
  metrics.setLatest(number, {
    step,
    stepLoss: loss,
    learningRate,
    tokensPerSecond,
    gradNorm,
    remainingSeconds,
  });
}

function applyEpoch(
  { metrics }: Store,
  { number }: ExperimentRecord,
  { data }: EventOf<'epoch'>,
  time: string,
  set: (patch: ExperimentPatch) => void,
): void {
  const { step, epoch, remainingSeconds, validPerplexity, validBitsPerByte, isBest } = data;
  const values = Object.fromEntries(EPOCH_METRICS.map((key) => [key, data[key]]));
  metrics.addPoints(number, { step, epoch, time: Date.parse(time) }, values);
  metrics.setLatest(number, { ...values, step, epoch, remainingSeconds });
  if (isBest)
    set({ bestEpoch: epoch, bestValidPerplexity: validPerplexity, bestValidBitsPerByte: validBitsPerByte });
}
