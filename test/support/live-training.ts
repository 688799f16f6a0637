import type { Experiment } from '../../src/contracts/experiment.js';
import type { GatelmServer } from './gatelm-server.js';

const SENTENCE = 'the cat sat on the mat and the dog lay on the rug while the bird sang in the tree\n';

/** The corpus `tiny`; of 200 lines an epoch takes a fraction of a second. */
export async function uploadTinyCorpus(server: GatelmServer, lines = 200, headers = {}): Promise<void> {
  const response = await fetch(`${server.address}/corpora?name=tiny`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', ...headers },
    body: SENTENCE.repeat(lines),
  });
  if (!response.ok) throw new Error(await response.text());
}

/** A training that goes on until it is told to stop. */
export function endlessConfig(name: string) {
  return {
    name,
    corpus: 'tiny',
    tags: ['a-tag'],
    model: { embeddingSize: 8, hiddenSizes: [8] },
    training: { epochs: 100_000, batchSize: 4, bpttLength: 10, sampleLength: 6 },
  };
}

/** A training of a moment. */
export function shortTraining(server: GatelmServer, name: string, changes: object = {}): Promise<Experiment> {
  const config = endlessConfig(name);
  return server.train({ ...config, training: { ...config.training, epochs: 2 }, ...changes });
}
