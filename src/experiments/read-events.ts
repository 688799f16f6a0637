import type { StoredEvent } from '../contracts/events.js';
import type { ExperimentRecord } from '../contracts/experiment-record.js';
import { TensorBoardRecords } from '../interchange/tensorboard.js';
import type { Store } from '../store/store.js';
import { findExperiment } from './find-experiment.js';

/** Events per page: a few milliseconds of reading. */
const PAGE = 1000;

/** All events of an experiment that were stored when it began to read, page by page. */
export async function* readEvents(
  store: Store,
  experiment: Pick<ExperimentRecord, 'number' | 'id' | 'seq'>,
): AsyncGenerator<readonly StoredEvent[]> {
  for (let seq = 0; seq < experiment.seq; ) {
    const page = store.events.after(experiment, seq, Math.min(PAGE, experiment.seq - seq));
    if (page.length === 0) return;
    yield page;
    seq = page.at(-1)!.seq;
    await new Promise((resume) => setImmediate(resume)); // let other work run between pages
  }
}

/** The curves and samples of an experiment as one event file of TensorBoard. @throws experiment-not-found */
export function tensorBoardFile(store: Store, id: string): AsyncGenerator<Buffer> {
  return encode(store, findExperiment(store, id));
}

async function* encode(store: Store, experiment: ExperimentRecord): AsyncGenerator<Buffer> {
  const records = new TensorBoardRecords();
  yield records.begin(experiment.startedAt ?? experiment.createdAt);
  for await (const page of readEvents(store, experiment)) {
    const encoded = page.map((event) => records.encode(event)).filter((bytes) => bytes !== null);
    if (encoded.length > 0) yield Buffer.concat(encoded);
  }
}
