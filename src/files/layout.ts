/**
 * The layout of a data folder, defined only here. A key is a path relative to it, with slashes:
 *
 *     gatelm.sqlite                                   the database
 *     experiments/ID/checkpoints/latest.json          names the tensors file of the latest checkpoint
 *     experiments/ID/checkpoints/step-….safetensors
 *     experiments/ID/checkpoints/epoch-000010.json    the same for an epoch that is kept for good
 *     experiments/ID/model/weights.safetensors        the best weights so far: what is served
 *     experiments/ID/model/{config,tokenizer}.json
 *     experiments/ID/tensorboard/events.out.tfevents.… TensorBoard files, one per start
 *     experiments/ID/initial/…                        initial checkpoint of a fork, laid out as an experiment
 *     corpora/ID/corpus.json                          an uploaded corpus, beside train.txt, valid.txt, test.txt
 *     local/NAME/…                                    an unfinished training without a server, laid out as an experiment
 *     downloads/…                                     known corpora
 *     transfers/…                                     unfinished imports and exports
 *     models/ID/DIGEST/…                              at an inferencer: models of its server
 *
 * An exchange (GATELM_EXCHANGE) has, beside such `corpora`:
 *
 *     leases/ID.ATTEMPT/lease.json                    the inputs of that attempt are complete
 *     leases/ID.ATTEMPT/experiments/ID/…              its inputs and outputs
 */
import { join, resolve } from 'node:path';

export const DATABASE_FILE = 'gatelm.sqlite';
export const EXPERIMENTS = 'experiments';
export const CORPORA = 'corpora';
export const LOCAL = 'local';
export const DOWNLOADS = 'downloads';
export const TRANSFERS = 'transfers';
export const FETCHED_MODELS = 'models';
export const LEASES = 'leases';

/** Within the folder of an experiment. */
export const CHECKPOINTS = 'checkpoints';
export const MODEL = 'model';
export const TENSORBOARD = 'tensorboard';
/** Within `checkpoints`. */
export const LATEST_CHECKPOINT = 'latest.json';
/** Within `model`. */
export const MODEL_FILES = {
  weights: 'weights.safetensors',
  description: 'config.json',
  tokenizer: 'tokenizer.json',
} as const;
/** Within the folder of a corpus. */
export const CORPUS_MANIFEST = 'corpus.json';

const KEPT_CHECKPOINT = /^epoch-\d{6,}\.json$/;

/** Name, within `checkpoints`, of the record of a kept checkpoint. */
export function keptCheckpoint(epoch: number): string {
  return `epoch-${String(epoch).padStart(6, '0')}.json`;
}

export function isKeptCheckpoint(name: string): boolean {
  return KEPT_CHECKPOINT.test(name);
}

export function experimentKey(id: string): string {
  return `${EXPERIMENTS}/${id}`;
}

/** In an exchange: the folder of the attempt of an experiment. */
export function leaseKey(lease: { readonly experimentId: string; readonly attempt: number }): string {
  return `${LEASES}/${lease.experimentId}.${lease.attempt}`;
}

/** The initial checkpoint of a fork with its tokenizer, laid out as an experiment. */
export function initialKey(id: string): string {
  return `${experimentKey(id)}/initial`;
}

/** The served weights of an experiment, with its tokenizer. */
export function modelKey(id: string): string {
  return `${experimentKey(id)}/${MODEL}`;
}

/** Whether a key is a file that serving a model needs. */
export function isModelFile(key: string): boolean {
  const [, id, , file] = key.split('/');
  return Object.values(MODEL_FILES).some((name) => name === file) && key === `${modelKey(id!)}/${file}`;
}

/** The file or folder of a key. */
export function pathOf(dataDirectory: string, key: string): string {
  return join(resolve(dataDirectory), ...key.split('/'));
}
