import { readCorpora } from '../src/cli/local/local-corpora.js';
import type { TrainingEvent } from '../src/contracts/events.js';
import type { ExperimentConfig } from '../src/contracts/experiment-config.js';
import type { FileSource } from '../src/contracts/jobs.js';
import { resolveExperiment } from '../src/experiments/resolve-experiment.js';
import { loadBackend } from '../src/kernels/backend.js';
import { trainExperiment } from '../src/tasks/train-experiment.js';

export interface TrainedHere {
  readonly config: ExperimentConfig;
  /** Of the whole training, or of its part since a checkpoint, with reading the text, checkpoints and the test. */
  readonly seconds: number;
  readonly events: readonly TrainingEvent[];
}

export interface TrainHereOptions {
  /** Whether it goes on from the last checkpoint of its folder, if there is one. */
  readonly resume?: boolean;
  readonly follow?: (event: TrainingEvent) => void;
}

/**
 * Trains in this process what POST /experiments would train, `auto` included.
 * @param body of the request
 * @param folder of its checkpoints and its model, within the data directory
 */
export async function trainHere(
  body: object,
  source: FileSource,
  folder: string,
  { resume = false, follow = () => {} }: TrainHereOptions = {},
): Promise<TrainedHere> {
  const { report } = await loadBackend();
  const trainingExecutor = { backendReport: () => report, capacity: () => 1 };
  const input = await resolveExperiment({ corpora: readCorpora(source), trainingExecutor }, { ...body });
  const { name: _, tags: _t, notes: _n, priority: _p, ...config } = input;
  const events: TrainingEvent[] = [];
  const emit = (event: TrainingEvent) => {
    events.push(event);
    follow(event);
  };
  const begin = performance.now();
  const outcome = await trainExperiment(
    { experimentId: 'bench', attempt: 1, config, folder, resume, initial: null },
    source,
    { emit, readStop: () => null },
  );
  if (outcome.type !== 'succeeded') throw new Error(JSON.stringify(outcome));
  return { config, events, seconds: (performance.now() - begin) / 1000 };
}

/** The data of the last event of a type. */
export function lastOf<Type extends TrainingEvent['type']>(events: readonly TrainingEvent[], type: Type) {
  const event = events.findLast((candidate) => candidate.type === type);
  if (!event) throw new Error(`there is no event ${type}`);
  return event.data as Extract<TrainingEvent, { type: Type }>['data'];
}
