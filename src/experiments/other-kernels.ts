import type { TrainingEvent } from '../contracts/events.js';
import type { ExperimentRun } from '../contracts/provenance.js';

type EventOf<Type extends TrainingEvent['type']> = Extract<TrainingEvent, { type: Type }>;

/** The warning of a training that continues where its steps have other last bits than before; null = they have the same. */
export function otherKernelsWarning(
  before: ExperimentRun | null,
  { data }: EventOf<'started'>,
): EventOf<'warning'> | null {
  if (before === null || data.resumedFrom === null) return null;
  const now = partsOf(data);
  const changes = Object.entries(partsOf(before)).flatMap(([name, value]) =>
    value === undefined || now[name] === undefined || value === now[name]
      ? []
      : [`${name} ${now[name]} instead of ${value}`],
  );
  if (changes.length === 0) return null;
  return {
    type: 'warning',
    data: {
      epoch: data.resumedFrom.epoch,
      kind: 'other-kernels',
      message: `It continues with ${changes.join(', ')}: its weights will not be, to the bit, those of an undisturbed run`,
      advice: 'Let it require the label of one kind of machine, and keep the number of threads',
    },
  };
}

function partsOf({ backend, kernels, threads, provenance }: ExperimentRun): Record<string, unknown> {
  return {
    backend,
    kernels,
    threads,
    TensorFlow: provenance?.tensorflow,
    instructions: provenance && (provenance.instructions ?? 'those of TensorFlow'),
  };
}
