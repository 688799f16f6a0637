/** What an experiment is after an event, as far as the event says it. */
import type { TrainingEvent } from '../../src/contracts/events.js';
import type { Experiment } from '../../src/contracts/experiment.js';
import type { LiveEvent } from './live-events.js';

type DataOf<Type extends TrainingEvent['type']> = Extract<TrainingEvent, { type: Type }>['data'];

/** @returns null where the event does not say all that has changed, such as the state: it has to be read */
export function afterEvent(experiment: Experiment, { type, seq, data }: LiveEvent): Experiment | null {
  switch (type) {
    case 'step': {
      const { step, epoch, trainPerplexity, learningRate, tokensPerSecond, gradNorm, remainingSeconds } =
        data as DataOf<'step'>;
      const shown = {
        step,
        epoch,
        trainPerplexity,
        learningRate,
        tokensPerSecond,
        gradNorm,
        remainingSeconds,
      };
      return { ...experiment, seq, latest: { ...experiment.latest, ...shown } };
    }
    case 'epoch': {
      const { step, epoch, trainPerplexity, validPerplexity, validBitsPerByte, ...rest } =
        data as DataOf<'epoch'>;
      const { learningRate, tokensPerSecond, gradNorm, remainingSeconds, isBest } = rest;
      const perplexities = { trainPerplexity, validPerplexity, validBitsPerByte };
      const latest = {
        step,
        epoch,
        ...perplexities,
        learningRate,
        tokensPerSecond,
        gradNorm,
        remainingSeconds,
      };
      const best = isBest ? { epoch, validPerplexity, validBitsPerByte } : experiment.best;
      return { ...experiment, seq, latest, best };
    }
    case 'sample':
    case 'checkpoint':
    case 'warning':
      return { ...experiment, seq };
    default:
      return null;
  }
}
